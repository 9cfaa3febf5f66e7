package function

// The states that Merge reads only. Those of bitmaps, lists and sketches of HLL may move to where they are merged.

// MergesCopies implements the interface of this name.
func (*countAccumulator) MergesCopies() {}

// MergesCopies implements the interface of this name.
func (*intSum[A]) MergesCopies() {}

// MergesCopies implements the interface of this name.
func (*wideSum) MergesCopies() {}

// MergesCopies implements the interface of this name.
func (*floatSum) MergesCopies() {}

// MergesCopies implements the interface of this name.
func (*extremum[T]) MergesCopies() {}

// MergesCopies implements the interface of this name.
func (*wideExtremum) MergesCopies() {}

// MergesCopies implements the interface of this name.
func (*textExtremum) MergesCopies() {}

// MergesCopies implements the interface of this name.
func (*moments) MergesCopies() {}

// MergesCopies implements the interface of this name.
func (*bitFold) MergesCopies() {}

// MergesCopies implements the interface of this name.
func (*kept) MergesCopies() {}

// MergesCopies implements the interface of this name.
func (*distinctSketch) MergesCopies() {}

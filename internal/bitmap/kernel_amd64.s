//go:build !purego

#include "textflag.h"

// ahead is how far behind an array's values memory is fetched for what follows them: with several bitmaps that are read in turns,
// container by container, the next one of this bitmap is read only after those of the others.
#define ahead 512

#define setTwo(first, second) \
	MOVWLZX first(SI), AX    \
	MOVWLZX second(SI), BX   \
	MOVL    AX, R8           \
	MOVL    BX, R9           \
	SHRL    $6, R8           \
	SHRL    $6, R9           \
	MOVQ    (DI)(R8*8), R10  \
	BTSQ    AX, R10          \
	MOVQ    R10, (DI)(R8*8)  \
	MOVQ    (DI)(R9*8), R11  \
	BTSQ    BX, R11          \
	MOVQ    R11, (DI)(R9*8)

#define setEight \
	setTwo(0, 2)  \
	setTwo(4, 6)  \
	setTwo(8, 10) \
	setTwo(12, 14)

// func setBitsScalar(w *words, values *byte, n int)
//
// Sets the bits of n values, each of two bytes: eight a turn, then the last eight, some of which are set already: a loop over
// single values would end where no processor foresees it.
TEXT ·setBitsScalar(SB), NOSPLIT, $0-24
	MOVQ w+0(FP), DI
	MOVQ values+8(FP), SI
	MOVQ n+16(FP), CX
	CMPQ CX, $8
	JLT  few
	SUBQ $8, CX
	LEAQ (SI)(CX*2), DX // the last eight

loop:
	PREFETCHT0 ahead(SI)
	setEight
	ADDQ $16, SI
	CMPQ SI, DX
	JLT  loop
	MOVQ DX, SI
	setEight
	RET

few:
	PREFETCHT0 ahead(SI)
	TESTQ CX, CX
	JLE   done

one:
	MOVWLZX (SI), AX
	MOVL    AX, R8
	SHRL    $6, R8
	MOVQ    (DI)(R8*8), R10
	BTSQ    AX, R10
	MOVQ    R10, (DI)(R8*8)
	ADDQ    $2, SI
	DECQ    CX
	JNZ     one

done:
	RET

// func takeOnesAVX512(w *words) int
//
// Counts and clears the bits, 4 × 8 words a turn.
TEXT ·takeOnesAVX512(SB), NOSPLIT, $0-16
	MOVQ   w+0(FP), DI
	MOVQ   $32, CX
	VPXORQ Z0, Z0, Z0
	VPXORQ Z1, Z1, Z1
	VPXORQ Z2, Z2, Z2
	VPXORQ Z3, Z3, Z3
	VPXORQ Z4, Z4, Z4

words:
	VPOPCNTQ (DI), Z5
	VPOPCNTQ 64(DI), Z6
	VPOPCNTQ 128(DI), Z7
	VPOPCNTQ 192(DI), Z8
	VPADDQ   Z5, Z1, Z1
	VPADDQ   Z6, Z2, Z2
	VPADDQ   Z7, Z3, Z3
	VPADDQ   Z8, Z4, Z4
	VMOVDQU64 Z0, (DI)
	VMOVDQU64 Z0, 64(DI)
	VMOVDQU64 Z0, 128(DI)
	VMOVDQU64 Z0, 192(DI)
	ADDQ     $256, DI
	DECQ     CX
	JNZ      words

	VPADDQ        Z2, Z1, Z1
	VPADDQ        Z4, Z3, Z3
	VPADDQ        Z3, Z1, Z1
	VEXTRACTI64X4 $1, Z1, Y2
	VPADDQ        Y2, Y1, Y1
	VEXTRACTI128  $1, Y1, X2
	VPADDQ        X2, X1, X1
	VPSRLDQ       $8, X1, X2
	VPADDQ        X2, X1, X1
	VMOVQ         X1, AX
	MOVQ          AX, ret+8(FP)
	VZEROUPPER
	RET

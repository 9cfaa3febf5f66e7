// Package tpchgen writes the TPC-H data set as Parquet, one folder a table.
//
// The rows are those of the official generator: the same 48 random streams with the
// same seeds, the same word distributions and the same 300 MB pool of text, so that
// the published answers hold. Scale factors below one follow the official rule too
// (every row count times the scale in thousandths), which is also what other engines'
// built-in generators do.
//
// A call to Generate owns all its state; nothing is global, so calls may run at the
// same time. Memory is the text pool (300 MB) plus a few chunks and one row group a
// table, whatever the scale.
//
// Files, in the order in which a reader meets the work:
//
//	generate.go   Options, Generate: jobs, chunks and files
//	schema.go     the eight tables and their column types
//	rows_*.go     the rows of each table
//	text.go       the text pool
//	random.go     the random streams
//	words.go      the weighted word lists
//	writer.go     the file writer the jobs see, and its Parquet form
package tpchgen

// Package parquet writes Parquet files of flat rows: texts, whole numbers and times,
// each of which may be absent. It knows nothing of AWS Config, and does not read.
//
// It is small because it leaves out what such files can do without: values are encoded
// plainly and compressed with gzip, in data pages of the first version, without
// dictionaries, statistics and indexes. Every reader understands that. A library that can
// do all adds six megabytes to the program; the tests read what is written with one.
//
// A Writer keeps one page of each column and the compressed pages of a row group in
// memory, about 20 MiB, however many rows there are.
//
//	w, err := parquet.NewWriter(f, []parquet.Column{{Name: "id", Kind: parquet.Text}, {Name: "at", Kind: parquet.Time}})
//	err = w.Row("i-1", now)
//	err = w.Close()
//
// Source of the format: https://github.com/apache/parquet-format.
package parquet

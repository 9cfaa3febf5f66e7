// Package basalt is a columnar SQL engine over files, embedded.
//
// Open a DB on a data folder (or in memory), take a Session for each sequence of
// statements, and read results as Arrow record batches or Go values:
//
//	db, err := basalt.Open("", basalt.Options{})
//	rows, err := db.NewSession(basalt.SessionOptions{}).Query(ctx, "SELECT count(*) FROM 'sales/*.parquet'")
//
// A DB is safe for concurrent use; a Session is for one goroutine at a time. The same
// engine is behind the database/sql driver "basalt" and the MySQL server of cmd/basalt.
//
// query.go is the map of the engine: the path of a SELECT, one call a stage.
package basalt

// Version is the engine's version.
const Version = "0.1.0"

// ServerVersion is what MySQL clients are told: the protocol dialect they may expect,
// then ours. Doris tells 5.7.99.
const ServerVersion = "5.7.99-basalt-" + Version

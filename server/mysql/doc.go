// Package mysql is the codec of the MySQL client/server protocol: bytes to messages and
// columns to rows. It opens no connection and knows no session.
//
// Packets go through Reader and Writer. Messages are Append functions: they append to dst
// and return it. Rows are encoded straight from vectors by a RowEncoder, which picks one
// encoder a column when the result set begins, so that a row costs no type switch and no
// allocation.
//
// What a client sends is foreign: every decoder returns an *sqlerr.Error for bytes that
// make no sense and never reads past them.
package mysql

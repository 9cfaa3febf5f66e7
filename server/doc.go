// Package server serves a basalt.DB over the MySQL protocol.
//
// One connection is two goroutines and one basalt.Session: the first runs commands, the
// second reads ahead, so that a client that goes away is noticed while its query runs.
// Commands only call the root package and encode what it returns; nothing here plans or
// knows a statement's kind.
//
// Files, in the order in which a connection meets them:
//
//	server.go     listening, limits, shutdown
//	login.go      greeting, TLS, authentication
//	users.go      who may connect
//	inbound.go    reading ahead
//	conn.go       the command loop
//	query.go      text statements and their results
//	prepared.go   prepared statements
//	admin.go      the other commands
package server

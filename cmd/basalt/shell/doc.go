// Package shell is basalt's SQL shell: statements in, tables out, on a terminal or in a
// script. It runs them through a Client: an engine inside this process or a server.
package shell

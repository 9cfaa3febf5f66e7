// Package sqlerr is the user's family of errors: everything a person can cause by
// a statement, a file, a setting or a limit. Each carries a MySQL error number, a
// SQLSTATE and, where it is known, the position in the text that the user wrote.
// Bugs of ours are the other family: see package invariant.
package sqlerr

import (
	"errors"
	"fmt"
)

// Code names a kind of error. Number and SQLState are what MySQL clients see.
type Code struct {
	Number   uint16
	SQLState string
}

// Error is one user-visible error. It is immutable after the statement that
// raised it returned it.
type Error struct {
	Code    Code
	Message string
	// Pos is the byte offset in the statement's text, or -1 when unknown.
	Pos int
	// Hint says what to do about it; empty when there is nothing to add.
	Hint  string
	cause error
}

// New makes an error without a position. Text: fixed words first, values last.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Pos: -1}
}

// Wrap makes an error that keeps cause for errors.Is and errors.As and appends its text.
func Wrap(code Code, cause error, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...) + ": " + cause.Error(), Pos: -1, cause: cause}
}

// Unsupported reports a construct that is understood but cannot run yet:
// "LATERAL VIEW is not supported yet" (1235).
func Unsupported(what string) *Error {
	return New(NotSupported, "%s is not supported yet", what)
}

// Detail makes a WrongDefinition error with the prefix that Doris gives its general errors and
// that tools look for.
func Detail(format string, args ...any) *Error {
	return New(WrongDefinition, "errCode = 2, detailMessage = "+format, args...)
}

// At sets the position, a byte offset into the statement's text, unless one is
// known already, and returns e.
func (e *Error) At(pos int) *Error {
	if e.Pos < 0 {
		e.Pos = pos
	}
	return e
}

// WithHint sets the advice and returns e.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

func (e *Error) Error() string {
	s := e.Message
	if e.Hint != "" {
		s += ". " + e.Hint
	}
	return s
}

func (e *Error) Unwrap() error { return e.cause }

// From returns err as an *Error. Any error that is not one yet becomes Internal.
func From(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: Internal, Message: err.Error(), Pos: -1, cause: err}
}

// Is reports whether err is, or wraps, an Error of the given code.
func Is(err error, code Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

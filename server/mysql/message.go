package mysql

import (
	"encoding/binary"

	gomysql "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/basaltdb/basalt/internal/sqlerr"
)

// maxMessage bounds the text of an error packet, in bytes.
const maxMessage = 8 << 10

// OK is what an OK packet tells.
type OK struct {
	AffectedRows uint64
	Status       uint16
	Warnings     uint16
	Info         string
}

// AppendOK appends an OK packet's payload.
func AppendOK(dst []byte, ok OK) []byte { return appendOK(dst, gomysql.OK_HEADER, ok) }

func appendOK(dst []byte, header byte, ok OK) []byte {
	dst = append(dst, header)
	dst = appendLenenc(dst, ok.AffectedRows)
	dst = append(dst, 0) // last insert id
	dst = binary.LittleEndian.AppendUint16(dst, ok.Status)
	dst = binary.LittleEndian.AppendUint16(dst, ok.Warnings)
	if ok.Info == "" {
		return dst
	}
	// The manual says that the rest of the packet is the text; servers write its length, and MariaDB's client wants it.
	dst = appendLenenc(dst, uint64(len(ok.Info)))
	return append(dst, ok.Info...)
}

// AppendEOF appends the packet that ends a list of columns or rows. With deprecateEOF
// (the client's capability) the end of rows is an OK packet under EOF's header; the end of
// columns is then not sent at all, which is the caller's business.
func AppendEOF(dst []byte, ok OK, deprecateEOF bool) []byte {
	if deprecateEOF {
		return appendOK(dst, gomysql.EOF_HEADER, ok)
	}
	dst = append(dst, gomysql.EOF_HEADER)
	dst = binary.LittleEndian.AppendUint16(dst, ok.Warnings)
	return binary.LittleEndian.AppendUint16(dst, ok.Status)
}

// AppendError appends an ERR packet: number, SQLSTATE, message and hint of err.
func AppendError(dst []byte, err error) []byte {
	e := sqlerr.From(err)
	dst = append(dst, gomysql.ERR_HEADER)
	dst = binary.LittleEndian.AppendUint16(dst, e.Code.Number)
	state := e.Code.SQLState
	if len(state) != 5 {
		state = "HY000"
	}
	dst = append(dst, '#')
	dst = append(dst, state...)
	message := e.Error()
	if len(message) > maxMessage {
		message = message[:maxMessage]
	}
	return append(dst, message...)
}

// AppendPrepared appends the answer to COM_STMT_PREPARE that precedes the definitions of
// parameters and columns.
func AppendPrepared(dst []byte, id uint32, columns, params int) []byte {
	dst = append(dst, gomysql.OK_HEADER)
	dst = binary.LittleEndian.AppendUint32(dst, id)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(columns))
	dst = binary.LittleEndian.AppendUint16(dst, uint16(params))
	return append(dst, 0, 0, 0) // filler, warnings
}

// AppendEarlyError appends an ERR packet for a client whose capabilities are not known yet:
// it has no SQLSTATE, which clients would show as part of the message.
func AppendEarlyError(dst []byte, err error) []byte {
	e := sqlerr.From(err)
	dst = append(dst, gomysql.ERR_HEADER)
	dst = binary.LittleEndian.AppendUint16(dst, e.Code.Number)
	return append(dst, e.Error()...)
}

// AppendLocalInfile appends the request for a file of the client's: its packets follow, up to an empty one.
func AppendLocalInfile(dst []byte, name string) []byte {
	return append(append(dst, localInfileHeader), name...)
}

const localInfileHeader = 0xfb

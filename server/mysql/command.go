package mysql

// Execute is the head of COM_STMT_EXECUTE. The cursor flags are dropped: a client that
// asks for a cursor gets the rows at once, which the protocol allows.
type Execute struct {
	Statement uint32
	Params    []byte // for Params.Decode; part of the packet
}

// ReadExecute decodes the body of COM_STMT_EXECUTE.
func ReadExecute(body []byte) (Execute, error) {
	c := cursor{data: body}
	id := c.u32()
	c.u8()  // cursor flags
	c.u32() // iteration count, always 1
	if c.short {
		return Execute{}, malformed("COM_STMT_EXECUTE")
	}
	return Execute{id, c.data}, nil
}

// LongData is COM_STMT_SEND_LONG_DATA.
type LongData struct {
	Statement uint32
	Param     int
	Data      []byte // part of the packet
}

// ReadLongData decodes the body of COM_STMT_SEND_LONG_DATA.
func ReadLongData(body []byte) (LongData, error) {
	c := cursor{data: body}
	l := LongData{Statement: c.u32(), Param: int(c.u16())}
	if l.Data = c.data; c.short {
		return LongData{}, malformed("COM_STMT_SEND_LONG_DATA")
	}
	return l, nil
}

// ReadID decodes a body that is one 32-bit number: COM_STMT_CLOSE, COM_STMT_RESET, COM_PROCESS_KILL.
func ReadID(body []byte) (uint32, error) {
	c := cursor{data: body}
	id := c.u32()
	if c.short {
		return 0, malformed("a command without its number")
	}
	return id, nil
}

// ReadOption decodes the body of COM_SET_OPTION.
func ReadOption(body []byte) (uint16, error) {
	c := cursor{data: body}
	option := c.u16()
	if c.short {
		return 0, malformed("COM_SET_OPTION")
	}
	return option, nil
}

// ReadFieldList decodes the body of COM_FIELD_LIST: the table and a pattern for columns.
func ReadFieldList(body []byte) (table, pattern string) {
	c := cursor{data: body}
	table = c.nul()
	return table, string(c.data)
}

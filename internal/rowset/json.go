package rowset

import (
	"encoding/base64"
	"encoding/json"
)

// appendQuoted is data as a JSON string in base64.
func appendQuoted(data []byte) []byte {
	out := append([]byte{'"'}, base64.StdEncoding.EncodeToString(data)...)
	return append(out, '"')
}

func unquoted(text []byte) ([]byte, error) {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(s)
}

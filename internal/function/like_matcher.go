package function

import "strings"

// LikeMatcher compiles a LIKE pattern with the default escape for SHOW … LIKE and other
// uses outside of queries; fold compares without case.
func LikeMatcher(pattern string, fold bool) (func(string) bool, error) {
	if fold {
		pattern = strings.ToLower(pattern)
	}
	p := compileLike([]byte(pattern), '\\')
	return func(s string) bool {
		if fold {
			s = strings.ToLower(s)
		}
		return p.match([]byte(s))
	}, nil
}

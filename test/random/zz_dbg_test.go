package random
import ("testing";"os";"strings")
func TestZZ(t *testing.T) {
	s := inferenceSession(t)
	for _, q := range strings.Split(os.Getenv("Q"), ";") {
	l, err := engine(s, q, nil, true)
	t.Log(q, err); for _, x := range l { t.Log(x) }
	}
}

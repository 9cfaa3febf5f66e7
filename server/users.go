package server

import (
	"bufio"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"os"
	"strings"
	"sync"

	gomysql "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/server/mysql"
)

// Users are the names that may connect, with digests of their passwords: never the
// passwords themselves. Safe for concurrent use.
type Users struct {
	mu     sync.RWMutex
	byName map[string]credential
}

// credential holds a password as the two plugins check it: SHA1(SHA1(password)) and
// SHA256(SHA256(password)). The second is what MySQL keeps in memory after a first full
// login; having it from the start, every login of ours is the fast one.
type credential struct {
	native []byte // nil: no password
	sha2   []byte // nil: only native is known
}

func (c credential) open() bool { return c.native == nil }

// NewUsers are root without a password.
func NewUsers() *Users { return &Users{byName: map[string]credential{"root": {}}} }

// SetPassword adds a user or changes its password; "" takes the password away.
func (u *Users) SetPassword(user, password string) {
	var c credential
	if password != "" {
		once := sha256.Sum256([]byte(password))
		twice := sha256.Sum256(once[:])
		c = credential{gomysql.NativePasswordHash([]byte(password)), twice[:]}
	}
	u.mu.Lock()
	u.byName[user] = c
	u.mu.Unlock()
}

// Load adds the users of a file. A line is user:password, or user:*HASH with what MySQL's
// PASSWORD() gives, forty hexadecimal digits; empty lines and lines that start with # are skipped.
func (u *Users) Load(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return sqlerr.Wrap(sqlerr.FileIO, err, "cannot read the file of users")
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		user, password, ok := strings.Cut(line, ":")
		if !ok || user == "" {
			return sqlerr.New(sqlerr.WrongValue, "file of users, line %d: want user:password", n)
		}
		if hash, ok := strings.CutPrefix(password, "*"); ok && len(hash) == 40 {
			digest, err := gomysql.DecodePasswordHex(hash)
			if err != nil {
				return sqlerr.Wrap(sqlerr.WrongValue, err, "file of users, line %d", n)
			}
			u.mu.Lock()
			u.byName[user] = credential{native: digest}
			u.mu.Unlock()
			continue
		}
		u.SetPassword(user, password)
	}
	if err := lines.Err(); err != nil {
		return sqlerr.Wrap(sqlerr.FileIO, err, "cannot read the file of users")
	}
	return nil
}

// withoutPassword names a user that needs none.
func (u *Users) withoutPassword() (string, bool) {
	u.mu.RLock()
	defer u.mu.RUnlock()
	for name, c := range u.byName {
		if c.open() {
			return name, true
		}
	}
	return "", false
}

func (u *Users) find(name string) (credential, bool) {
	u.mu.RLock()
	defer u.mu.RUnlock()
	c, ok := u.byName[name]
	return c, ok
}

// scrambleSize is the length of a plugin's answer; 0 for plugins that we do not speak.
func scrambleSize(plugin string) int {
	switch plugin {
	case gomysql.AUTH_NATIVE_PASSWORD:
		return 20
	case gomysql.AUTH_CACHING_SHA2_PASSWORD:
		return sha256.Size
	}
	return 0
}

// matches checks a client's answer to salt.
func (c credential) matches(plugin string, answer, salt []byte) bool {
	if c.open() {
		return emptyAnswer(answer)
	}
	if len(answer) != scrambleSize(plugin) {
		return false
	}
	switch plugin {
	case gomysql.AUTH_NATIVE_PASSWORD:
		return gomysql.CompareNativePassword(answer, c.native, salt)
	case gomysql.AUTH_CACHING_SHA2_PASSWORD:
		return c.sha2 != nil && compareSHA2(answer, c.sha2, salt)
	}
	return false
}

// emptyAnswer reports the answer of a client without a password: nothing, or one zero byte.
func emptyAnswer(answer []byte) bool {
	return len(answer) == 0 || len(answer) == 1 && answer[0] == 0
}

// compareSHA2 checks answer = SHA256(password) XOR SHA256(stored + salt), where stored is
// SHA256(SHA256(password)).
func compareSHA2(answer, stored, salt []byte) bool {
	mask := sha256.Sum256(append(append([]byte{}, stored...), salt...))
	for i := range mask {
		mask[i] ^= answer[i]
	}
	twice := sha256.Sum256(mask[:])
	return subtle.ConstantTimeCompare(twice[:], stored) == 1
}

// newSalt is random bytes that a C string can hold.
func newSalt() []byte {
	salt := make([]byte, mysql.SaltSize)
	_, _ = rand.Read(salt) // never fails
	for i := range salt {
		if salt[i] &= 0x7F; salt[i] == 0 || salt[i] == '$' {
			salt[i]++
		}
	}
	return salt
}

package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"
)

// selfSigned is a certificate for this machine.
func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestTLS(t *testing.T) {
	users := NewUsers()
	users.SetPassword("root", "pw")
	s := start(t, Options{Users: users, TLS: &tls.Config{Certificates: []tls.Certificate{selfSigned(t)}}})
	dsn := "root:pw@tcp(" + s.Addr().String() + ")/"
	for _, mode := range []string{"false", "skip-verify", "preferred"} {
		db := open(t, dsn+"?tls="+mode)
		var n, sum int64
		rows, err := db.Query("SELECT number FROM numbers('number' = '100000')")
		if err != nil {
			t.Fatalf("tls=%s: %v", mode, err)
		}
		for rows.Next() {
			if err := rows.Scan(&n); err != nil {
				t.Fatal(err)
			}
			sum += n
		}
		if rows.Err() != nil || sum != 100000*99999/2 {
			t.Errorf("tls=%s: sum %d, %v", mode, sum, rows.Err())
		}
	}
	if err := open(t, dsn+"?tls=true").Ping(); err == nil {
		t.Error("an unknown certificate was trusted")
	}
}

// TestNoTLS: a server without a certificate says so, and clients that may go on do.
func TestNoTLS(t *testing.T) {
	plain := start(t, Options{})
	if err := open(t, plain.dsn("tls=skip-verify")).Ping(); err == nil {
		t.Error("TLS without a certificate")
	}
	if err := open(t, plain.dsn("tls=preferred")).Ping(); err != nil {
		t.Error(err)
	}
}

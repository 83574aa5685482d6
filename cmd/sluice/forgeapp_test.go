package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
)

// forgeApp is a GitHub App with its one installation.
type forgeApp struct {
	id, installation string
	key              *rsa.PrivateKey
}

// newApp makes an App, and gives its private key in PEM.
func newApp(id, installation string) (*forgeApp, string, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, "", err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	return &forgeApp{id, installation, key}, string(text), nil
}

// admits tells whether a request carries what GitHub asks an App for: to get a
// token a statement that the App signed, and that token everywhere else.
func (a *forgeApp) admits(r *http.Request) bool {
	kind, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.Contains(r.URL.Path, "/app/") {
		return kind == "token" && value == "installation-token"
	}
	parts := strings.Split(value, ".")
	if kind != "Bearer" || len(parts) != 3 || !strings.HasSuffix(r.URL.Path, "/app/installations/"+a.installation+"/access_tokens") {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err != nil || rsa.VerifyPKCS1v15(&a.key.PublicKey, crypto.SHA256, sum[:], signature) != nil {
		return false
	}
	var claims struct{ Iss any }
	claim, err := base64.RawURLEncoding.DecodeString(parts[1])
	return err == nil && json.Unmarshal(claim, &claims) == nil && fmt.Sprint(claims.Iss) == a.id
}

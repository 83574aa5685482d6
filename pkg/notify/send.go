package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The headers of what is sent.
const (
	EventHeader     = "X-Sluice-Event"         // the event's name
	DeliveryHeader  = "X-Sluice-Delivery"      // the same for every try of one event
	SignatureHeader = "X-Sluice-Signature-256" // sha256= and, in hex, the HMAC of the body with the secret
)

// Bounds of what is sent.
const (
	maxTries   = 4                // of one event at one webhook
	maxAttempt = 5 * time.Second  // one try
	maxPause   = 5 * time.Second  // between two tries, whatever the answer asks for
	maxSending = 15 * time.Second // everything that one run sends
)

// Webhook is an address that events are posted to.
type Webhook struct {
	URL    *url.URL
	Secret string // signs what is sent; empty: nothing is signed
	Slack  bool   // the form
}

// ParseURL reads the address of a webhook. The error does not repeat the text:
// who knows the address may post there.
func ParseURL(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "":
		return nil, errors.New("it holds no address")
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return u, nil
	}
	return nil, errors.New("it holds no https address")
}

// loopback tells whether a host can only be this machine.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Sender sends events. All fields are needed.
type Sender struct {
	Via   http.RoundTripper
	Sleep func(context.Context, time.Duration) error
}

// Send posts events to a webhook, one after the other, until one of them can
// not be sent. The error says why, and never where to.
func (s Sender) Send(ctx context.Context, w Webhook, events []Event) error {
	ctx, cancel := context.WithTimeout(ctx, maxSending)
	defer cancel()
	for _, e := range events {
		body, err := e.JSON()
		if w.Slack {
			body, err = e.Slack()
		}
		if err == nil {
			err = s.post(ctx, w, e.Name, body)
		}
		if err != nil {
			return fmt.Errorf("sending the event %q: %w", e.Name, err)
		}
	}
	return nil
}

// post sends one body, and sends it again where that can help.
func (s Sender) post(ctx context.Context, w Webhook, event string, body []byte) error {
	for try := 1; ; try++ {
		pause, err := s.once(ctx, w, event, body)
		if err == nil || pause < 0 || try == maxTries {
			return err
		}
		if pause == 0 {
			pause = 500 * time.Millisecond << (try - 1)
		}
		if s.Sleep(ctx, min(pause, maxPause)) != nil {
			return err // what the last try came to says more than that time is up
		}
	}
}

// once tries once. A pause below 0 says that no other try can help, one of 0
// that nobody said how long to wait.
func (s Sender) once(ctx context.Context, w Webhook, event string, body []byte) (pause time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, maxAttempt)
	defer cancel()
	req := (&http.Request{
		Method: http.MethodPost, URL: w.URL, Host: w.URL.Host, Header: http.Header{},
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}).WithContext(ctx)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "sluice")
	req.Header.Set(EventHeader, event)
	sum := sha256.Sum256(body)
	req.Header.Set(DeliveryHeader, hex.EncodeToString(sum[:16]))
	if w.Secret != "" {
		req.Header.Set(SignatureHeader, Sign(w.Secret, body))
	}
	if w.URL.User != nil {
		password, _ := w.URL.User.Password()
		req.SetBasicAuth(w.URL.User.Username(), password)
	}
	// No client stands between, so no redirect is followed.
	res, err := s.Via.RoundTrip(req)
	if err != nil {
		return 0, errors.New(reason(err))
	}
	res.Body.Close()
	switch {
	case res.StatusCode >= 200 && res.StatusCode < 300:
		return 0, nil
	case res.StatusCode >= 300 && res.StatusCode < 400:
		return -1, fmt.Errorf("the answer is %d, to send it elsewhere: that is not followed", res.StatusCode)
	case res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500:
		seconds, err := strconv.ParseInt(res.Header.Get("Retry-After"), 10, 16)
		if err != nil || seconds < 0 {
			seconds = 0
		}
		return time.Duration(seconds) * time.Second, fmt.Errorf("the answer is %d", res.StatusCode)
	}
	return -1, fmt.Errorf("the answer is %d", res.StatusCode)
}

// Sign gives the value of SignatureHeader for a body.
func Sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// reason says why there is no answer. The transport's own words name the host,
// and can name the address.
func reason(err error) string {
	var name *net.DNSError
	var timeout net.Error
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var other x509.HostnameError
	switch {
	case errors.Is(err, context.Canceled):
		return "interrupted"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	case errors.As(err, &name):
		return "its host is not known"
	case errors.As(err, &unknown), errors.As(err, &invalid), errors.As(err, &other):
		return "its certificate does not hold"
	}
	return "no connection"
}

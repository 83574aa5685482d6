package program

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
)

const maxRedirects = 10

var (
	errRedirects = errors.New("it redirects more than ten times")
	errLocation  = errors.New("it redirects to what is not an http(s) URL")
)

// download gets a URL without any credentials. Either status or err tells why
// there is no data.
//
// Redirects are followed here and not by http.Client, which would send the
// query of one host to the next as Referer, take credentials out of a Location
// and repeat it in its errors; a transport alone does not. Of the client its
// transport and timeout count.
func (c *Cache) download(ctx context.Context, raw string) (data []byte, status int, err error) {
	if c.Client.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Client.Timeout)
		defer cancel()
	}
	at, err := url.Parse(raw)
	if err != nil {
		return nil, 0, errLocation
	}
	for range maxRedirects + 1 {
		resp, err := c.get(ctx, at)
		if err != nil {
			return nil, 0, err
		}
		switch resp.StatusCode {
		case http.StatusOK:
			data, err := c.body(resp)
			return data, 0, err
		case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
			_ = resp.Body.Close()
			if at, err = follow(at, resp.Header.Get("Location")); err != nil {
				return nil, 0, err
			}
		default:
			_ = resp.Body.Close()
			return nil, resp.StatusCode, nil
		}
	}
	return nil, 0, errRedirects
}

func (c *Cache) get(ctx context.Context, at *url.URL) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, errLocation
	}
	// Left to itself, the transport would unpack what a server calls gzip, and
	// the checksum is that of the packed file.
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", "sluice")
	transport := c.Client.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	return transport.RoundTrip(req)
}

func follow(at *url.URL, location string) (*url.URL, error) {
	to, err := at.Parse(location)
	if err != nil || location == "" || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
		return nil, errLocation
	}
	return to, nil
}

func (c *Cache) body(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	if resp.ContentLength > c.max() {
		return nil, c.errLarge()
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, c.max()+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > c.max() {
		return nil, c.errLarge()
	}
	return data, nil
}

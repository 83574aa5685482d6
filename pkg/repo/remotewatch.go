package repo

import (
	"context"
	"fmt"
	"io"
	"time"
)

// watch ends a conversation in which nothing moves for too long.
type watch struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	limit  time.Duration
}

func watchOver(ctx context.Context, limit time.Duration) (context.Context, *watch) {
	ctx, cancel := context.WithCancelCause(ctx)
	silent := silentError{fmt.Sprintf("no answer for %s", limit)}
	return ctx, &watch{ctx, cancel, time.AfterFunc(limit, func() { cancel(silent) }), limit}
}

// moved says that bytes went one way or the other.
func (w *watch) moved() { w.timer.Reset(w.limit) }

func (w *watch) stop() {
	w.timer.Stop()
	w.cancel(context.Canceled)
}

// cause puts what ended the conversation in the place of the error that this
// looks like on the connection.
func (w *watch) cause(err error) error {
	if err != nil && w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	return err
}

func (w *watch) reader(r io.Reader) io.Reader { return &watchedReader{r, w} }
func (w *watch) writer(to io.Writer) io.Writer {
	return &watchedWriter{to, w}
}

type watchedReader struct {
	r io.Reader
	w *watch
}

func (r *watchedReader) Read(b []byte) (int, error) {
	n, err := r.r.Read(b)
	if n > 0 {
		r.w.moved()
	}
	return n, r.w.cause(err) // a killed process looks like the end
}

type watchedWriter struct {
	to io.Writer
	w  *watch
}

func (r *watchedWriter) Write(b []byte) (int, error) {
	n, err := r.to.Write(b)
	if n > 0 {
		r.w.moved()
	}
	return n, r.w.cause(err)
}

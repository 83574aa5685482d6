package diff

import "io"

// HTML writes a page.
func (r *Report) HTML(w io.Writer, s Style) error { return nil }

package host

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// M is a JSON object.
type M = map[string]any

// Answer writes a status and a JSON value. Nothing is written of a nil one.
func Answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	if body != nil {
		_ = json.NewEncoder(w).Encode(body)
	}
}

// Page cuts a list as a query says: ?page, counted from 1, and a size under the
// name that the forge has for it, at most most. next is 0 on the last page.
func Page[T any](r *http.Request, size string, usual, most int, list []T) (part []T, next int) {
	q := r.URL.Query()
	n, _ := strconv.Atoi(q.Get("page"))
	per, _ := strconv.Atoi(q.Get(size))
	if per < 1 {
		per = usual
	}
	n, per = max(n, 1), min(per, most)
	from := min((n-1)*per, len(list))
	to := min(from+per, len(list))
	if to < len(list) {
		next = n + 1
	}
	return append([]T{}, list[from:to]...), next
}

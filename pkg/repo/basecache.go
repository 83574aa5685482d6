package repo

import (
	"container/list"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
)

// baseCache keeps the objects read last, up to a number of bytes: neighbors
// in a pack are deltas on the same bases. What it hands out is never changed.
type baseCache struct {
	mu    sync.Mutex
	room  int
	order *list.List // of *cached, the last used first
	items map[cacheKey]*list.Element
}

type cacheKey struct {
	pack   *pack
	offset int64
}

type cached struct {
	key  cacheKey
	kind plumbing.ObjectType
	data []byte
}

func newBaseCache(bytes int) *baseCache {
	return &baseCache{room: bytes, order: list.New(), items: map[cacheKey]*list.Element{}}
}

func (c *baseCache) get(p *pack, offset int64) (plumbing.ObjectType, []byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.items[cacheKey{p, offset}]
	if !ok {
		return 0, nil, false
	}
	c.order.MoveToFront(e)
	item := e.Value.(*cached)
	return item.kind, item.data, true
}

// maxCached keeps one large file from pushing everything else out.
const maxCached = 1 << 20

func (c *baseCache) put(p *pack, offset int64, kind plumbing.ObjectType, data []byte) {
	if len(data) > maxCached {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	key := cacheKey{p, offset}
	if _, ok := c.items[key]; ok {
		return
	}
	c.items[key] = c.order.PushFront(&cached{key, kind, data})
	for c.room -= len(data); c.room < 0; {
		last := c.order.Back()
		item := c.order.Remove(last).(*cached)
		delete(c.items, item.key)
		c.room += len(item.data)
	}
}

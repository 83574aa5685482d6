package edit

// step is one item of an alignment: the index in the old list, in the new
// one, or in both; -1 stands for none.
type step struct{ old, new int }

// Costs of an alignment. A pair that costs more than two gaps is never made.
const (
	gap     = 2
	never   = 2*gap + 1
	maxGrid = 1 << 18
	ahead   = 64
)

// align pairs the items of two lists in order, as cheaply as it can be done.
// What begins and ends alike is paired first.
func align(n, m int, cost func(i, j int) int) []step {
	var steps, tail []step
	lo := 0
	for lo < n && lo < m && cost(lo, lo) == 0 {
		steps = append(steps, step{lo, lo})
		lo++
	}
	for n > lo && m > lo && cost(n-1, m-1) == 0 {
		n, m = n-1, m-1
		tail = append(tail, step{n, m})
	}
	steps = append(steps, middle(lo, n, m, cost)...)
	for i := len(tail) - 1; i >= 0; i-- {
		steps = append(steps, tail[i])
	}
	return steps
}

// middle aligns old[lo:n] and new[lo:m].
func middle(lo, n, m int, cost func(i, j int) int) []step {
	if (n-lo)*(m-lo) > maxGrid {
		return greedy(lo, n, m, cost)
	}
	var steps []step
	best, pair := grid(lo, n, m, cost)
	i, j := 0, 0
	for i < n-lo && j < m-lo {
		switch best[i][j] {
		case pair[i][j] + best[i+1][j+1]:
			steps = append(steps, step{lo + i, lo + j})
			i, j = i+1, j+1
		case gap + best[i+1][j]:
			steps = append(steps, step{lo + i, -1})
			i++
		default:
			steps = append(steps, step{-1, lo + j})
			j++
		}
	}
	return rest(steps, lo+i, n, lo+j, m)
}

// grid gives what it costs to align old[lo+i:n] with new[lo+j:m], and what to
// pair the two first of them.
func grid(lo, n, m int, cost func(i, j int) int) (best, pair [][]int) {
	rows, cols := n-lo, m-lo
	best, pair = make([][]int, rows+1), make([][]int, rows+1)
	for i := rows; i >= 0; i-- {
		best[i], pair[i] = make([]int, cols+1), make([]int, cols+1)
		for j := cols; j >= 0; j-- {
			switch {
			case i == rows:
				best[i][j] = gap * (cols - j)
			case j == cols:
				best[i][j] = gap * (rows - i)
			default:
				pair[i][j] = cost(lo+i, lo+j)
				best[i][j] = min(gap+best[i+1][j], gap+best[i][j+1], pair[i][j]+best[i+1][j+1])
			}
		}
	}
	return best, pair
}

// greedy aligns lists that are too long for a grid: it looks a little way
// ahead for what an item goes with.
func greedy(lo, n, m int, cost func(i, j int) int) []step {
	var steps []step
	i, j := lo, lo
	for i < n && j < m {
		if cost(i, j) <= 1 {
			steps = append(steps, step{i, j})
			i, j = i+1, j+1
			continue
		}
		gone, come := 0, 0
		for k := 1; k <= ahead && gone+come == 0; k++ {
			switch {
			case i+k < n && cost(i+k, j) <= 1:
				gone = k
			case j+k < m && cost(i, j+k) <= 1:
				come = k
			}
		}
		if gone+come == 0 && cost(i, j) < never {
			steps = append(steps, step{i, j})
			i, j = i+1, j+1
			continue
		}
		if gone+come == 0 {
			gone, come = 1, 1
		}
		steps = rest(steps, i, i+gone, j, j+come)
		i, j = i+gone, j+come
	}
	return rest(steps, i, n, j, m)
}

// rest leaves old[i:n] and new[j:m] unpaired.
func rest(steps []step, i, n, j, m int) []step {
	for ; i < n; i++ {
		steps = append(steps, step{i, -1})
	}
	for ; j < m; j++ {
		steps = append(steps, step{-1, j})
	}
	return steps
}

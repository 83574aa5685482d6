package edit

// step is one item of an alignment: the index in the old list, in the new
// one, or in both; -1 stands for none.
type step struct{ old, new int }

// Costs of an alignment. A pair that costs more than two gaps is never made.
const (
	gap     = 2
	never   = 2*gap + 1
	maxGrid = 1 << 20
)

// align pairs the items of two lists in order, as cheaply as it can be done.
// What begins and ends alike is paired first; the rest is left unpaired if it
// is too much to weigh.
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
	var steps []step
	rows, cols := n-lo, m-lo
	if rows*cols > maxGrid {
		rows, cols = 0, 0
	}
	best := make([][]int, rows+1)
	pair := make([][]int, rows+1)
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
	i, j := 0, 0
	for i < rows && j < cols {
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
	for i += lo; i < n; i++ {
		steps = append(steps, step{i, -1})
	}
	for j += lo; j < m; j++ {
		steps = append(steps, step{-1, j})
	}
	return steps
}

package suite

import (
	"context"
	"sync"
)

// Plan says how often scenarios are run.
type Plan struct {
	Rounds    int  // of all scenarios; 0 for no end
	UntilFail bool // no round begins after one in which something did not pass
	Parallel  int  // how many run at once; 0 for one
}

// Run does n things in every round, in order, and returns when all have ended.
// do gets the number of a job, counted over all rounds: thing job%n in round
// job/n. Several goroutines call it. Nothing begins after the end of ctx.
func (p Plan) Run(ctx context.Context, n int, do func(job int) (passed bool)) {
	q := &queue{round: n, end: n * p.Rounds, endless: p.Rounds == 0}
	var workers sync.WaitGroup
	for range max(1, p.Parallel) {
		workers.Go(func() {
			for job, ok := q.next(ctx); ok; job, ok = q.next(ctx) {
				if !do(job) && p.UntilFail {
					q.finish(job)
				}
			}
		})
	}
	workers.Wait()
}

// queue gives out jobs.
type queue struct {
	mu      sync.Mutex
	round   int // jobs in a round
	given   int
	end     int
	endless bool
}

func (q *queue) next(ctx context.Context) (job int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if ctx.Err() != nil || !q.endless && q.given >= q.end || q.round == 0 {
		return 0, false
	}
	q.given++
	return q.given - 1, true
}

// finish lets the round of the job be the last one; of a later one that has
// begun no more jobs are given out.
func (q *queue) finish(job int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	end := (job/q.round + 1) * q.round
	if q.endless || end < q.end {
		q.end, q.endless = end, false
	}
}

package catalog

import (
	"maps"
	"slices"
	"time"
)

// JobState is the state of an AlterJob.
type JobState string

// Job states. A job that runs is stored as pending: what runs is the process's to know.
const (
	JobPending   JobState = "PENDING"
	JobFinished  JobState = "FINISHED"
	JobCancelled JobState = "CANCELLED"
)

// Kinds of jobs.
const (
	RollupJob = "ROLLUP" // builds an index; views of one table are indexes, too
	ColumnJob = "COLUMN" // changes columns; its index is the table
)

// AlterJob is a change of a table that goes on after its statement, and stays on record when it has ended. Immutable.
type AlterJob struct {
	ID                int64
	Kind              string
	Database, Table   string // as named at the start
	TableID           int64
	Index             string
	IndexID           int64
	State             JobState
	Message           string
	Created, Finished time.Time
	Timeout           int64 // seconds, as asked for
	Schema            int32 `json:",omitempty"` // of kind COLUMN: the table's Schema after it
}

// keptJobs ended jobs stay on record.
const keptJobs = 200

// AddJob records a job; it gets its ID and the time.
func (tx *Tx) AddJob(j AlterJob) {
	tx.ownJobs()
	j.ID, j.Created = tx.NewID(), tx.now
	if j.State == "" {
		j.State = JobPending
	}
	if j.State != JobPending {
		j.Finished = tx.now
	}
	tx.putJob(&j)
	ended := slices.DeleteFunc(slices.Sorted(maps.Keys(tx.st.jobs)), func(id int64) bool { return tx.st.jobs[id].State == JobPending })
	for _, id := range ended[:max(len(ended)-keptJobs, 0)] {
		delete(tx.st.jobs, id)
		tx.ops = append(tx.ops, del(bucketJobs, idKey(id)))
	}
}

// EndJobs ends the pending jobs of a kind about an index.
func (tx *Tx) EndJobs(kind string, index int64, state JobState, message string) {
	for _, j := range tx.st.jobs {
		if j.Kind == kind && j.IndexID == index && j.State == JobPending {
			tx.ownJobs()
			next := *j
			next.State, next.Message, next.Finished = state, message, tx.now
			tx.putJob(&next)
		}
	}
}

func (tx *Tx) ownJobs() {
	if !tx.ownsJobs {
		tx.st.jobs = maps.Clone(tx.st.jobs)
		if tx.st.jobs == nil {
			tx.st.jobs = map[int64]*AlterJob{}
		}
		tx.ownsJobs = true
	}
}

func (tx *Tx) putJob(j *AlterJob) {
	tx.st.jobs[j.ID] = j
	tx.ops = append(tx.ops, putJSON(bucketJobs, idKey(j.ID), j))
}

// Jobs lists the jobs on record, oldest first.
func (c *Catalog) Jobs() []*AlterJob {
	st := c.current.Load()
	var out []*AlterJob
	for _, id := range slices.Sorted(maps.Keys(st.jobs)) {
		out = append(out, st.jobs[id])
	}
	return out
}

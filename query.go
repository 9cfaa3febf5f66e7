package basalt

import (
	"context"
	"net"
	"time"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/executor"
	"github.com/basaltdb/basalt/internal/budget"
	"github.com/basaltdb/basalt/internal/dictionary"
	"github.com/basaltdb/basalt/internal/function"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser"
	"github.com/basaltdb/basalt/parser/ast"
	"github.com/basaltdb/basalt/planner"
	"github.com/basaltdb/basalt/planner/bind"
	"github.com/basaltdb/basalt/planner/fragment"
	"github.com/basaltdb/basalt/planner/optimize"
	"github.com/basaltdb/basalt/storage"
)

// Start reading here. The path of a SELECT, one call a stage:
//
//	text ─ Session.Parse (parser) ─► statement
//	     ─ bind.Query (planner/bind, over a catalog.Snapshot) ─► logical plan
//	     ─ planner.Plan (optimize, lower, fragment) ─► fragments
//	     ─ executor.Run ─► batches ─► Rows ─► Arrow, Go values, MySQL packets
//
// execution is what one statement works with: one catalog snapshot, one set of parameters,
// one moment. Its methods are the stages.
type execution struct {
	s        *Session
	st       *Statement
	params   []vector.Value
	snapshot catalog.Snapshot
	fc       *function.Context
	describe bool           // PREPARE: types only, parameters unknown
	verbose  bool           // EXPLAIN VERBOSE: the plan tells where its estimates come from
	untraced bool           // reads the optimizer trace
	given    storage.Source // the rows that a load reads
	together *publication   // of the writes of FROM … INSERT …; else nil
	// transaction is what the statement writes in; nil for one that does not, and for DDL.
	transaction *transaction
	external    map[*catalog.Table]storage.Source // that the statement met
	// dictionaries are those that it opened: while run has not returned, they are in memory with the ids that they gave.
	dictionaries []*dictionary.Dictionary
}

// Execute runs a parsed statement with the values of its parameters.
func (s *Session) Execute(ctx context.Context, st *Statement, params []vector.Value) (*Rows, error) {
	if len(params) != st.NumParams() {
		return nil, sqlerr.New(sqlerr.WrongArguments, "the statement has %d parameters, %d values were given", st.NumParams(), len(params))
	}
	s.db.counters.Queries.Add(1)
	hinted, err := s.settings.hinted(st.parsed.Statement)
	if err != nil {
		return nil, err
	}
	if hinted != nil {
		defer func(own *settings) { s.settings = own }(s.settings)
		s.settings = hinted
	}
	sctx, end, err := s.begin(ctx, st.parsed.Text)
	if err != nil {
		return nil, err
	}
	unpin := s.db.pin()
	x := s.newExecution(st, params)
	rows, err := x.run(sctx, st.parsed.Statement)
	if err != nil {
		err = causeOf(sctx, err)
		end()
		unpin()
		s.db.counters.Errors.Add(1)
		return nil, err
	}
	rows.ctx, rows.session = sctx, s
	rows.end = func() { end(); unpin() }
	if rows.stream == nil {
		return rows, rows.Close()
	}
	return rows, nil
}

func (s *Session) newExecution(st *Statement, params []vector.Value) *execution {
	return &execution{s: s, st: st, params: params, snapshot: s.db.cat.Snapshot(), fc: &function.Context{
		Now: time.Now(), Location: s.location(), User: s.user + "@" + s.hostName(), Database: s.Database(),
		ConnectionID: s.id, Version: ServerVersion, GroupConcatMaxLen: s.settings.int("group_concat_max_len"),
	}}
}

func (s *Session) hostName() string {
	if s.host == "" {
		return "%"
	}
	if host, _, err := net.SplitHostPort(s.host); err == nil {
		return host // users are known by host: the port is for SHOW PROCESSLIST
	}
	return s.host
}

// location is the session's time zone; SYSTEM and names that are unknown give the machine's.
func (s *Session) location() *time.Location {
	if loc, err := parseZone(s.settings.values["time_zone"]); err == nil {
		return loc
	}
	return time.Local
}

// env is what the binder may know.
func (x *execution) env() *bind.Env {
	return &bind.Env{
		Snapshot:       sessionSnapshot{x.snapshot, x},
		Database:       x.s.Database(),
		Variables:      x.variable,
		Params:         x.params,
		ParamTypesOnly: x.describe,
		Functions:      x.fc,
		TableFunction:  x.tableFunction,
		FileTable:      x.fileTable,
		UserFunctions:  x.s.db.functions.resolve,
		ParseView:      x.parseView,
		Sections:       x.instances(),
		Indexes:        x.s.db.logicalIndexes,
		Dictionary:     x.dictionary,
	}
}

func (x *execution) parseView(text string) (ast.Query, error) {
	list, err := parser.Parse(text, parser.Options{})
	if err != nil {
		return nil, err
	}
	if len(list) == 1 {
		if q, ok := list[0].Statement.(ast.Query); ok {
			return q, nil
		}
	}
	return nil, sqlerr.New(sqlerr.Syntax, "the stored text of the view is not a query")
}

// plan takes a bound query through the optimizer to fragments.
func (x *execution) plan(b *bind.Bound) (*fragment.Plan, error) {
	opts := x.plannerOptions()
	if !x.s.settings.traces() || x.untraced {
		return planner.Plan(b, opts)
	}
	opts.Trace = &optimize.Trace{Keep: true}
	plan, err := planner.Plan(b, opts)
	x.keepTrace(opts.Trace)
	return plan, err
}

func (x *execution) plannerOptions() planner.Options {
	return x.s.settings.distribution(planner.Options{
		Instances:         x.instances(),
		ExplainEstimates:  x.verbose,
		DisabledPasses:    x.s.settings.disabledPasses(),
		Functions:         x.fc,
		NoRuntimeFilters:  x.s.settings.noRuntimeFilters(),
		Filters:           x.s.settings.filterOptions(),
		NoDistinctRewrite: !x.s.settings.bool("rewrite_count_distinct_to_bitmap_hll"),
	})
}

// instances is the number of parallel copies of a fragment.
func (x *execution) instances() int {
	for _, name := range []string{"parallel_pipeline_task_num", "parallel_fragment_exec_instance_num"} {
		if n := x.s.settings.int(name); n > 0 {
			return int(n)
		}
	}
	return x.s.db.work
}

// query runs a SELECT.
func (x *execution) query(ctx context.Context, q ast.Query) (*Rows, error) {
	bound, err := bind.Query(q, x.env())
	if err != nil {
		return nil, err
	}
	x.limitRows(q, bound)
	return x.runBound(ctx, bound)
}

func (x *execution) runBound(ctx context.Context, bound *bind.Bound) (*Rows, error) {
	plan, err := x.plan(bound)
	if err != nil {
		return nil, err
	}
	run, err := x.start(ctx, plan, "QUERY", x.runtime(nil))
	if err != nil {
		return nil, err
	}
	r := &Rows{cols: boundColumns(bound), stream: &queryStream{run: run}}
	if x.s.settings.bool("return_object_data_as_binary") {
		r.showObjects()
	}
	return r, nil
}

// runtime is what the operators of this statement may know.
func (x *execution) runtime(profile *executor.Profile) *executor.Runtime {
	var pages *storage.PageCache
	if x.s.settings.bool("enable_page_cache") {
		pages = x.s.db.pages
	}
	return &executor.Runtime{
		Pages:     pages,
		Functions: x.fc,
		Budget:    budget.New("query", x.s.settings.int("exec_mem_limit"), x.s.db.memory),
		Slots:     x.s.db.slots,
		Instances: x.instances(),
		BatchRows: int(x.s.settings.int("batch_size")),
		Profile:   profile,
		Filters:   x.s.settings.filterLimits(),
	}
}

func boundColumns(b *bind.Bound) []Column {
	cols := b.Plan.Columns()
	out := make([]Column, len(b.Names))
	for i, name := range b.Names {
		out[i] = Column{Name: name, Type: cols[i].T, Nullable: cols[i].Null}
	}
	return out
}

// queryStream hands out the batches of a running query.
type queryStream struct {
	run  *profiledRun
	rows int64
	err  error
}

func (q *queryStream) Next(ctx context.Context) (*vector.Batch, error) {
	b, err := q.run.result.Next(ctx)
	if b != nil {
		q.rows += int64(b.NumRows())
	}
	if err != nil {
		q.err = err
	}
	return b, err
}

func (q *queryStream) Close() error {
	q.run.result.Close()
	q.run.end(q.rows, q.err)
	return nil
}

package basalt

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/planner/optimize"
	"github.com/basaltdb/basalt/storage"
)

// tracedStatement is the last statement that a session planned with optimizer_trace on.
type tracedStatement struct {
	query, trace string
	missing      int // bytes that optimizer_trace_max_mem_size cut off
}

type traceDocument struct {
	Steps []traceStep `json:"steps"`
	Fired []string    `json:"passes_that_changed_the_plan"`
}

type traceStep struct {
	Pass        string  `json:"pass"`
	Changed     bool    `json:"changed"`
	NodesBefore int     `json:"nodes_before"`
	NodesAfter  int     `json:"nodes_after"`
	Micros      float64 `json:"time_us"`
	After       string  `json:"plan,omitempty"` // when it changed
}

// traces reports whether the session wants optimizer traces.
func (s *settings) traces() bool {
	return strings.Contains(s.values["optimizer_trace"], "enabled=on")
}

// keepTrace makes the session's optimizer trace of one statement.
func (x *execution) keepTrace(t *optimize.Trace) {
	doc := traceDocument{Steps: []traceStep{}, Fired: []string{}}
	for _, s := range t.Steps {
		doc.Steps = append(doc.Steps, traceStep{s.Pass, s.Changed, s.NodesBefore, s.NodesAfter, float64(s.Took) / float64(time.Microsecond), s.After})
		if s.Changed {
			doc.Fired = append(doc.Fired, s.Pass)
		}
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if !strings.Contains(x.s.settings.values["optimizer_trace"], "one_line=on") {
		e.SetIndent("", "  ")
	}
	if e.Encode(doc) == nil {
		text := strings.TrimRight(out.String(), "\n")
		kept := text[:min(len(text), int(x.s.settings.int("optimizer_trace_max_mem_size")))]
		x.s.traced = &tracedStatement{x.st.parsed.Text, strings.ToValidUTF8(kept, ""), len(text) - len(kept)}
	}
}

// sessionSnapshot is a catalog snapshot whose tables about sessions and profiles have rows.
type sessionSnapshot struct {
	catalog.Snapshot
	x *execution
}

// Source implements catalog.Snapshot.
func (s sessionSnapshot) Source(t *catalog.Table) (storage.Source, error) {
	if t.Kind == catalog.External { // all references of a statement see the same files
		if src := s.x.external[t]; src != nil {
			return src, nil
		}
		src, err := s.Snapshot.Source(t)
		if err == nil {
			if s.x.external == nil {
				s.x.external = map[*catalog.Table]storage.Source{}
			}
			s.x.external[t] = src
		}
		return src, err
	}
	if t.Kind != catalog.System {
		return s.Snapshot.Source(t)
	}
	var fill func(add func(...vector.Value))
	switch t.Name {
	case "query_profiles":
		fill = s.x.profileRows
	case "optimizer_trace":
		s.x.untraced = true // as in MySQL, looking at the trace keeps it
		fill = func(add func(...vector.Value)) {
			if last := s.x.s.traced; last != nil {
				add(str(last.query), str(last.trace), long(int64(last.missing)), long(0))
			}
		}
	default:
		return s.Snapshot.Source(t)
	}
	schema := make([]storage.Column, len(t.Columns))
	for i, c := range t.Columns {
		schema[i] = storage.Column{Name: c.Name, Type: c.Type, Nullable: true}
	}
	return &storage.Memory{Schema: schema, Size: -1, Fill: func(context.Context) ([]*vector.Batch, error) {
		b := storage.NewRowBuilder(schema)
		fill(b.Add)
		return b.Batches(), nil
	}}, nil
}

package basalt

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/basaltdb/basalt/catalog"
	"github.com/basaltdb/basalt/internal/sqlerr"
	"github.com/basaltdb/basalt/internal/vector"
	"github.com/basaltdb/basalt/parser/ast"
)

// profileStore keeps the profiles of the last statements. Safe for concurrent use.
type profileStore struct {
	mu    sync.Mutex
	list  []*QueryProfile // oldest first
	bytes int
}

// maxProfileBytes bounds the memory of all kept profiles together.
const maxProfileBytes = 16 << 20

// profileBytes is about what a profile holds.
func profileBytes(p *QueryProfile) int {
	const operator = 1 << 10
	n := len(p.Statement) + len(p.Text) + operator*(1+len(p.Operators))
	for i := range p.Operators {
		for _, d := range p.Operators[i].Details {
			n += len(d)
		}
	}
	return n
}

// add keeps p and drops the oldest ones over most or over the memory bound.
func (s *profileStore) add(p *QueryProfile, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, p)
	s.bytes += profileBytes(p)
	drop := 0
	for drop < len(s.list) && (len(s.list)-drop > most || s.bytes > maxProfileBytes) {
		s.bytes -= profileBytes(s.list[drop])
		drop++
	}
	s.list = slices.Delete(s.list, 0, drop)
}

func (s *profileStore) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list, s.bytes = nil, 0
}

// all lists the profiles, the newest first.
func (s *profileStore) all() []*QueryProfile {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.Clone(s.list)
	slices.Reverse(out)
	return out
}

// Profiles are those of the last statements that ran with enable_profile, the newest first.
// They must not be changed.
func (db *DB) Profiles() []*QueryProfile { return db.profiles.all() }

// Profile finds one of Profiles by its id, nil when it is not kept.
func (db *DB) Profile(id string) *QueryProfile {
	for _, p := range db.profiles.all() {
		if p.ID == id {
			return p
		}
	}
	return nil
}

func isCleanProfile(name string) bool { return name == "CLEAN ALL PROFILE" || name == "CLEAN PROFILE" }

const profileTime = "2006-01-02 15:04:05.000"

// showQueryProfile is SHOW QUERY PROFILE: the list, or with '/id' one profile as text, with
// '/id/json' as JSON.
func (x *execution) showQueryProfile(st *ast.Show) (*result, error) {
	path := strings.Trim(strings.Join(st.Args, ""), "/")
	if path == "" {
		r := newResult(textCols("Profile ID", "Task Type", "Start Time", "End Time", "Total", "Task State", "User", "Default Db", "Sql Statement"))
		for _, p := range x.s.db.Profiles() {
			zone := x.s.location()
			r.Add(str(p.ID), str(p.Type), str(p.Start.In(zone).Format(profileTime)), str(p.End.In(zone).Format(profileTime)),
				str(p.End.Sub(p.Start).String()), str(p.State), str(p.User), str(p.Database), str(p.Statement))
		}
		return r, nil
	}
	id, form, _ := strings.Cut(path, "/")
	p := x.s.db.Profile(id)
	if p == nil {
		return nil, sqlerr.New(sqlerr.WrongArguments, "there is no query profile %s: SHOW QUERY PROFILE lists those that are kept", id).At(st.Position())
	}
	r := newResult(textCols("Profile"))
	if form == "json" {
		r.Add(str(p.JSON()))
		return r, nil
	}
	lines := []string{"Summary:", "  Profile ID: " + p.ID, "  Task Type: " + p.Type, "  Start Time: " + p.Start.In(x.s.location()).Format(profileTime),
		"  End Time: " + p.End.In(x.s.location()).Format(profileTime), "  Total: " + p.End.Sub(p.Start).String(), "  Task State: " + p.State,
		"  User: " + p.User, "  Default Db: " + p.Database, "  Sql Statement: " + p.Statement}
	if p.Error != "" {
		lines = append(lines, "  Error: "+p.Error)
	}
	lines = append(lines, "Execution Summary:", "  "+p.headline(), "Plan:")
	for _, line := range append(lines, strings.Split(p.Text, "\n")...) {
		r.Add(str(line))
	}
	return r, nil
}

// JSON is the profile as a JSON object.
func (p *QueryProfile) JSON() string {
	data, err := json.Marshal(p)
	if err != nil {
		return "{}" // plain data: cannot happen
	}
	return string(data)
}

// profileRows fill information_schema.query_profiles.
func (x *execution) profileRows(add func(...vector.Value)) {
	for _, p := range x.s.db.Profiles() {
		add(str(p.ID), str(p.Type), vector.IntValue(catalog.SystemTimeType, p.Start.UnixMicro()), vector.IntValue(catalog.SystemTimeType, p.End.UnixMicro()),
			long(p.PlanTime.Microseconds()), long(p.RunTime.Microseconds()), str(p.State), str(p.Error), str(p.User), str(p.Database),
			str(p.Statement), long(p.Rows), long(p.PeakBytes), long(int64(p.Instances)), str(p.JSON()))
	}
}

package basalt

import (
	"slices"
	"strconv"
	"strings"

	"github.com/basaltdb/basalt/executor"
	"github.com/basaltdb/basalt/planner/lower"
	"github.com/basaltdb/basalt/planner/physical"
)

// oneWord is the check of a setting that takes one of some words, without regard to case.
func oneWord(words ...string) func(string) string {
	return func(text string) string {
		if text = strings.ToUpper(strings.TrimSpace(text)); slices.Contains(words, text) {
			return text
		}
		return ""
	}
}

// filterTypeNames are the words of runtime_filter_type, each with its number.
var filterTypeNames = []struct {
	name string
	kind physical.FilterKind
}{
	{"IN", physical.FilterIn}, {"BLOOM_FILTER", physical.FilterBloom}, {"MIN_MAX", physical.FilterMinMax},
	{"IN_OR_BLOOM_FILTER", physical.FilterInOrBloom}, {"BITMAP_FILTER", physical.FilterBitmap},
}

// filterTypes stores runtime_filter_type, which is a sum of numbers or a list of words, as words.
func filterTypes(text string) string {
	var set physical.FilterKind
	if n, err := strconv.Atoi(strings.TrimSpace(text)); err == nil {
		if n <= 0 || n > 31 {
			return ""
		}
		set = physical.FilterKind(n)
	} else {
		for _, word := range strings.Split(text, ",") {
			k := filterType(strings.ToUpper(strings.TrimSpace(word)))
			if k == 0 {
				return ""
			}
			set |= k
		}
	}
	var out []string
	for _, t := range filterTypeNames {
		if set&t.kind != 0 {
			out = append(out, t.name)
		}
	}
	return strings.Join(out, ",")
}

func filterType(word string) physical.FilterKind {
	for _, t := range filterTypeNames {
		if word == t.name || word+"_FILTER" == t.name {
			return t.kind
		}
	}
	return 0
}

// filterOptions are what the session says about runtime filters to the planner.
func (s *settings) filterOptions() lower.FilterOptions {
	o := lower.FilterOptions{
		Max: int(s.int("runtime_filters_max_num")), KeepAll: !s.bool("enable_runtime_filter_prune"), NoTopN: !s.bool("enable_topn_filter"),
	}
	switch s.values["runtime_filter_mode"] {
	case "LOCAL":
		o.Mode = lower.LocalFilters
	case "REMOTE":
		o.Mode = lower.RemoteFilters
	}
	for _, word := range strings.Split(s.values["runtime_filter_type"], ",") {
		o.Kinds |= filterType(word)
	}
	return o
}

// noRuntimeFilters: none at all are made.
func (s *settings) noRuntimeFilters() bool {
	return !s.bool("enable_runtime_filter") || s.values["runtime_filter_mode"] == "OFF" || s.int("runtime_filters_max_num") == 0
}

func (s *settings) filterLimits() executor.FilterLimits {
	return executor.FilterLimits{MaxIn: int(max(1, s.int("runtime_filter_max_in_num"))), MaxBloomBytes: s.int("runtime_bloom_filter_max_size")}
}

// optimizerTraceSetting stores optimizer_trace as MySQL shows it.
func optimizerTraceSetting(text string) string {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "on", "1", "true":
		return "enabled=on,one_line=off"
	case "off", "0", "false", "default":
		return "enabled=off,one_line=off"
	}
	enabled, oneLine := "off", "off"
	for _, part := range strings.Split(strings.ToLower(text), ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok || value != "on" && value != "off" {
			return ""
		}
		switch name {
		case "enabled":
			enabled = value
		case "one_line":
			oneLine = value
		default:
			return ""
		}
	}
	return "enabled=" + enabled + ",one_line=" + oneLine
}

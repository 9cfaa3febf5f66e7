package sqlgen

import (
	"fmt"
	"strings"
)

// window is a call with OVER of the kind over columns of FROM. Whatever depends on the order of rows that a short order
// leaves open is ordered by all columns: rows that are equal in those are the same. They may still get values of their own
// (neighbours, numbers), and two such calls may give them in different orders; so a SELECT has one of these calls.
func (g *Gen) window(k kind, mine []ref) string {
	partition := g.partitionBy(mine)
	arg := g.ofKind(mine, k)
	if g.numbered {
		return fmt.Sprintf("%s(%s) OVER (%s%s)", pick(g.r, "min", "max"), arg, partition, pick(g.r, "", g.someOrder(mine)))
	}
	ignore := pick(g.r, "", "", "", " IGNORE NULLS")
	if k != number && g.r.IntN(2) == 0 || g.r.IntN(3) == 0 {
		call := pick(g.r,
			fmt.Sprintf("lag(%s, %d%s)", arg, g.r.IntN(4), ignore),
			fmt.Sprintf("lead(%s%s)", arg, ignore),
			fmt.Sprintf("lag(%s, 1, %s%s)", arg, g.ofKind(mine, k), ignore),
			fmt.Sprintf("first_value(%s%s)", arg, ignore),
			fmt.Sprintf("last_value(%s%s)", arg, ignore),
			fmt.Sprintf("nth_value(%s, %d%s)", arg, 1+g.r.IntN(3), ignore))
		frame := ""
		if !strings.HasPrefix(call, "la") || strings.HasPrefix(call, "last") {
			frame = g.rowsFrame()
		}
		return fmt.Sprintf("%s OVER (%s%s%s)", call, partition, g.totalOrder(mine), frame)
	}
	call := fmt.Sprintf("%s(%s)", pick(g.r, "min", "max"), arg)
	if k == number {
		x := g.ofKind(mine, number)
		call = pick(g.r, "count(*)", "count("+x+")", "sum("+x+")", "avg("+x+")", "min("+x+")", "rank()", "dense_rank()", "row_number()",
			fmt.Sprintf("ntile(%d)", 1+g.r.IntN(5)), "percent_rank()", "cume_dist()", "count(DISTINCT "+g.ofKind(mine, kind(g.r.IntN(4)))+")",
			"sum("+x+") FILTER (WHERE "+g.ofKind(mine, boolean)+")")
	}
	switch {
	case call == "row_number()" || strings.HasPrefix(call, "ntile"):
		return fmt.Sprintf("%s OVER (%s%s)", call, partition, g.totalOrder(mine))
	case strings.Contains(call, "DISTINCT"):
		return fmt.Sprintf("%s OVER (%s%s)", call, partition, pick(g.r, "", g.someOrder(mine)))
	case strings.HasSuffix(call, "()") || strings.Contains(call, "rank") || g.r.IntN(2) == 0:
		return fmt.Sprintf("%s OVER (%s%s)", call, partition, pick(g.r, "", g.someOrder(mine)))
	case g.r.IntN(3) == 0:
		return fmt.Sprintf("%s OVER (%s%s)", call, partition, g.valueRange(mine))
	}
	return fmt.Sprintf("%s OVER (%s%s%s)", call, partition, g.totalOrder(mine), g.rowsFrame())
}

func (g *Gen) partitionBy(mine []ref) string {
	var keys []string
	for range g.r.IntN(3) {
		keys = append(keys, pick(g.r, mine...).name)
	}
	if len(keys) == 0 {
		return ""
	}
	return "PARTITION BY " + strings.Join(keys, ", ") + " "
}

func (g *Gen) direction() string {
	return pick(g.r, "", " DESC") + pick(g.r, "", "", " NULLS FIRST", " NULLS LAST")
}

func (g *Gen) someOrder(mine []ref) string {
	var keys []string
	for range 1 + g.r.IntN(2) {
		keys = append(keys, pick(g.r, mine...).name+g.direction())
	}
	return "ORDER BY " + strings.Join(keys, ", ") + " "
}

// totalOrder sorts by all columns, some of them first.
func (g *Gen) totalOrder(mine []ref) string {
	g.numbered = true
	s := g.someOrder(mine)
	var rest []string
	for _, c := range mine {
		rest = append(rest, c.name)
	}
	return s + ", " + strings.Join(rest, ", ") + " "
}

func (g *Gen) rowsFrame() string {
	switch g.r.IntN(5) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("ROWS %d PRECEDING", g.r.IntN(4))
	case 2:
		return "ROWS BETWEEN " + pick(g.r, "UNBOUNDED PRECEDING", "CURRENT ROW", "1 FOLLOWING", "2 PRECEDING") + " AND UNBOUNDED FOLLOWING"
	case 3:
		return fmt.Sprintf("ROWS BETWEEN UNBOUNDED PRECEDING AND %d %s", g.r.IntN(3), pick(g.r, "PRECEDING", "FOLLOWING"))
	}
	return pick(g.r, "ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING", "ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING", "ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING",
		"ROWS BETWEEN CURRENT ROW AND 2 FOLLOWING", "ROWS BETWEEN 2 FOLLOWING AND 1 FOLLOWING")
}

// valueRange is an order by one number or date and a frame of its values.
func (g *Gen) valueRange(mine []ref) string {
	for range 10 {
		c := pick(g.r, mine...)
		unit := ""
		switch c.kind {
		case number:
		case date:
			unit = " DAY"
		default:
			continue
		}
		bound := func(side string) string {
			n := fmt.Sprint(g.r.IntN(4))
			if unit != "" {
				n = "INTERVAL " + n + unit
			} else if g.r.IntN(4) == 0 {
				n += ".5"
			}
			return n + " " + side
		}
		return "ORDER BY " + c.name + g.direction() + " RANGE BETWEEN " + pick(g.r, bound("PRECEDING"), "CURRENT ROW", "UNBOUNDED PRECEDING") +
			" AND " + pick(g.r, bound("FOLLOWING"), "CURRENT ROW", "UNBOUNDED FOLLOWING")
	}
	return ""
}

// groupedWindow is a call with OVER over the groups of a query.
func (g *Gen) groupedWindow(k kind, mine []ref, keys []string, kinds map[string]kind) string {
	order := g.grouped(number, mine, keys, kinds)
	partition := ""
	if len(keys) > 0 && g.r.IntN(2) == 0 {
		partition = "PARTITION BY " + pick(g.r, keys...) + " "
	}
	call := fmt.Sprintf("%s(%s)", pick(g.r, "min", "max"), g.grouped(k, mine, keys, kinds))
	if k == number {
		call = pick(g.r, "rank()", "dense_rank()", "sum(count(*))", "count(*)", call)
	}
	return fmt.Sprintf("%s OVER (%s%s)", call, partition, pick(g.r, "", "ORDER BY "+order+g.direction()))
}

package runner

import (
	"encoding/xml"
	"fmt"
	"math"
	"strings"
	"time"
)

// The chart's measures, in pixels.
const (
	chartWidth  = 860
	chartLeft   = 56  // names of the queries
	chartRight  = 110 // the longest bar's label
	chartTop    = 84
	chartBottom = 34
	barHeight   = 9
	groupGap    = 9
)

var barColors = []string{"#d1495b", "#8d99ae", "#30638e", "#edae49"}

// Chart draws the medians as horizontal bars, one group a query, as an SVG text.
func Chart(r *Report, c Context) string {
	group := len(r.Engines)*barHeight + groupGap
	height := chartTop + len(r.Queries)*group + chartBottom
	longest := time.Millisecond
	for _, q := range r.Queries {
		for _, m := range q.Engines {
			longest = max(longest, m.Median())
		}
	}
	step := tick(millis(longest))
	scale := (chartWidth - chartLeft - chartRight) / millis(longest)

	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="system-ui, Helvetica, Arial, sans-serif">`+"\n",
		chartWidth, height, chartWidth, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", chartWidth, height)
	text(&b, chartLeft, 28, `font-size="17" font-weight="600" fill="#222"`,
		fmt.Sprintf("%s, %d threads: milliseconds, less is better", c.Heading, c.Threads))
	x := float64(chartLeft)
	for e, engine := range r.Engines {
		label := strings.TrimSpace(engine.Name + " " + engine.Version)
		fmt.Fprintf(&b, `<rect x="%.0f" y="43" width="12" height="12" rx="2" fill="%s"/>`+"\n", x, barColors[e%len(barColors)])
		text(&b, x+18, 54, `font-size="13" fill="#333"`, label)
		x += 40 + 7.2*float64(len(label))
	}
	if mean, n := r.GeometricMean(); n > 0 {
		text(&b, x, 54, `font-size="13" fill="#333"`, fmt.Sprintf("geometric mean of the ratios: %.2f", mean))
	}

	bottom := height - chartBottom + 4
	for v := 0.0; v <= millis(longest); v += step {
		at := chartLeft + v*scale
		fmt.Fprintf(&b, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#e3e3e3"/>`+"\n", at, chartTop-10, at, bottom)
		text(&b, at, float64(bottom+16), `font-size="11" fill="#777" text-anchor="middle"`, fmt.Sprintf("%g", v))
	}
	for i, q := range r.Queries {
		y := chartTop + i*group
		text(&b, chartLeft-8, float64(y)+float64(len(r.Engines)*barHeight)/2+4, `font-size="12" fill="#333" text-anchor="end"`,
			strings.ToUpper(q.Query))
		for e, m := range q.Engines {
			drawBar(&b, y+e*barHeight, barColors[e%len(barColors)], m, scale)
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func drawBar(b *strings.Builder, y int, color string, m Measurement, scale float64) {
	width := millis(m.Median()) * scale
	label := fmt.Sprintf("%.0f", millis(m.Median()))
	if m.Err != nil {
		width, label = 0, "failed"
	}
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", chartLeft, y, math.Max(width, 0.5), barHeight-1, color)
	text(b, chartLeft+width+4, float64(y+barHeight-1), `font-size="9" fill="#555"`, label)
}

func text(b *strings.Builder, x, y float64, style, s string) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" %s>`, x, y, style)
	_ = xml.EscapeText(b, []byte(s)) // a Builder does not fail
	b.WriteString("</text>\n")
}

// tick is a round distance that gives between four and ten grid lines up to limit.
func tick(limit float64) float64 {
	step := math.Pow(10, math.Floor(math.Log10(limit)))
	for limit/step < 4 {
		step /= 2
	}
	return step
}

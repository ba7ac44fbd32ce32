package console_test

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/png"
	"slices"
	"testing"
)

// maxPicture is how large a picture of the docs is, in bytes.
const maxPicture = 60 << 10

// small returns a picture with so few colors that it is small.
func small(t *testing.T, picture []byte) []byte {
	t.Helper()
	from, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		t.Fatal(err)
	}
	for _, colors := range []int{64, 32, 16, 12, 8} {
		var out bytes.Buffer
		e := png.Encoder{CompressionLevel: png.BestCompression}
		if err := e.Encode(&out, reduced(from, colors)); err != nil {
			t.Fatal(err)
		}
		if out.Len() <= maxPicture {
			return out.Bytes()
		}
	}
	t.Fatalf("a picture of %v cannot be made small", from.Bounds())
	return nil
}

// reduced has the colors that most pixels have, those that differ visibly.
func reduced(from image.Image, colors int) image.Image {
	counts := map[color.RGBA]int{}
	b := from.Bounds()
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(from.At(x, y)).(color.RGBA) }
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			counts[at(x, y)]++
		}
	}
	all := make([]color.RGBA, 0, len(counts))
	for c := range counts {
		all = append(all, c)
	}
	slices.SortFunc(all, func(x, y color.RGBA) int {
		return cmp.Or(cmp.Compare(counts[y], counts[x]), cmp.Compare(x.R, y.R), cmp.Compare(x.G, y.G), cmp.Compare(x.B, y.B))
	})
	var palette color.Palette
	for apart := 40; len(palette) < colors && apart >= 0; apart -= 8 {
		for _, c := range all {
			near := slices.ContainsFunc(palette, func(p color.Color) bool { return distance(p.(color.RGBA), c) <= apart*apart })
			if !near && len(palette) < colors {
				palette = append(palette, c)
			}
		}
	}
	out := image.NewPaletted(b, palette)
	index := map[color.RGBA]uint8{}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := at(x, y)
			i, ok := index[c]
			if !ok {
				i = uint8(palette.Index(c))
				index[c] = i
			}
			out.SetColorIndex(x, y, i)
		}
	}
	return out
}

func distance(a, b color.RGBA) int {
	square := func(x, y uint8) int { return (int(x) - int(y)) * (int(x) - int(y)) }
	return square(a.R, b.R) + square(a.G, b.G) + square(a.B, b.B)
}

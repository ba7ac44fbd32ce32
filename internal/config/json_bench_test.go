package config

import (
	"os"
	"testing"
)

func BenchmarkItemIsRead(b *testing.B) {
	body, err := os.ReadFile("../../bench/instance.json")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		var it Item
		if err := it.UnmarshalJSON(body); err != nil {
			b.Fatal(err)
		}
	}
}

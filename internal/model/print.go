package model

import (
	"fmt"
	"hash/fnv"
	"strings"
)

// printList prints a list the way a Java list prints itself. Structures print as their class and a hash, which here
// depends on the content only.
func printList[T any](c *Checker, v []T, shape string) string {
	words := make([]string, len(v))
	for i := range v {
		if shape == "" {
			words[i] = fmt.Sprint(v[i])
		} else {
			words[i] = fmt.Sprintf("%s.%s@%x", c.shapes, shape, hash(shape, i))
		}
	}
	return "[" + strings.Join(words, ", ") + "]"
}

func printMap[T any](c *Checker, v map[string]T) string {
	words := make([]string, 0, len(v))
	for _, k := range Keys(v) {
		words = append(words, fmt.Sprintf("%s=%v", k, v[k]))
	}
	return "{" + strings.Join(words, ", ") + "}"
}

func hash(shape string, i int) uint32 {
	h := fnv.New32a()
	fmt.Fprint(h, shape, i)
	return h.Sum32()
}

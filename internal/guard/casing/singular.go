package casing

import "strings"

// unchanged are words whose plural is the word.
var unchanged = []string{
	"accommodation", "adulthood", "advertising", "advice", "aggression", "aid", "air", "aircraft", "alcohol",
	"anger", "applause", "arithmetic", "assistance", "athletics", "bacon", "baggage", "beef", "biology", "blood",
	"bread", "butter", "carbon", "cardboard", "cash", "chalk", "chaos", "chess", "countryside", "damage", "deer",
	"education", "electricity", "energy", "equipment", "evidence", "fish", "food", "fun", "furniture", "gold",
	"happiness", "hardware", "health", "heat", "help", "history", "homework", "housework", "information",
	"jewellery", "justice", "knowledge", "labour", "literature", "logic", "machinery", "mathematics", "meat",
	"media", "metadata", "money", "moose", "music", "news", "patience", "permission", "physics", "police",
	"pollution", "progress", "racism", "rice", "safety", "series", "sheep", "silver", "software", "species",
	"traffic", "transportation", "trust", "water", "weather", "wisdom", "wood",
}

// endings are tried from the first to the last.
var endings = []struct{ plural, single string }{
	{"databases", "database"}, {"quizzes", "quiz"}, {"matrices", "matrix"}, {"vertices", "vertex"},
	{"indices", "index"}, {"oxen", "ox"}, {"aliases", "alias"}, {"statuses", "status"}, {"viruses", "virus"},
	{"octopuses", "octopus"}, {"octopi", "octopus"}, {"viri", "virus"}, {"crises", "crisis"},
	{"axes", "axis"}, {"testes", "testis"}, {"shoes", "shoe"}, {"oes", "o"}, {"buses", "bus"},
	{"mice", "mouse"}, {"lice", "louse"}, {"xes", "x"}, {"ches", "ch"}, {"sses", "ss"}, {"shes", "sh"},
	{"movies", "movie"}, {"series", "series"}, {"ives", "ife"}, {"hives", "hive"}, {"tives", "tive"},
	{"analyses", "analysis"}, {"bases", "basis"}, {"diagnoses", "diagnosis"}, {"parentheses", "parenthesis"},
	{"prognoses", "prognosis"}, {"synopses", "synopsis"}, {"theses", "thesis"}, {"news", "news"},
	{"men", "man"}, {"people", "person"}, {"children", "child"}, {"ss", "ss"},
}

// singular undoes an English plural as far as a table can.
func singular(word string) string {
	small := strings.ToLower(word)
	for _, u := range unchanged {
		if small == u {
			return word
		}
	}
	for _, e := range endings {
		if stem, ok := strings.CutSuffix(word, e.plural); ok {
			return stem + e.single
		}
	}
	if stem, ok := strings.CutSuffix(word, "ies"); ok && stem != "" {
		if strings.ContainsRune("aeiouy", rune(stem[len(stem)-1])) {
			return stem + "ie"
		}
		return stem + "y"
	}
	if stem, ok := strings.CutSuffix(word, "s"); ok {
		return stem
	}
	return word
}

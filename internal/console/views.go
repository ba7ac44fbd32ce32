package console

import "plumb/internal/settings"

// views are all pages, in the order of their entries.
func views() []view {
	return []view{
		{"", "Home", showHome, ""},
		{"wrong", "What is wrong", showWrong, ""},
		{"changes", "Changes", showChanges, ""},
		{"inventory", "Inventory", showInventory, ""},
		{"rules", "Rules", showRules, ""},
		{"packs", "Packs", showPacks, ""},
		{"query", "Query", showQuery, ""},
		{"operations", "Operations", showOperations, ""},
		{"bench", "Rule bench", showBench, settings.Development},
		{"requests", "Live requests", showRequests, settings.Development},
		{"rule", "", showRule, ""},
		{"try", "", showTry, ""},
		{"pack", "", showPack, ""},
		{"ticket", "", showTicket, ""},
		{"find", "", showFind, ""},
		{"complete", "", showComplete, ""},
		{"resource", "", showResource, ""},
		{"components", "", showExample, settings.Development},
	}
}

// actions are all that forms can ask for, in development mode.
func actions() []action {
	return []action{
		{"evaluate", doEvaluate},
		{"bench/begin", doBegin},
		{"bench/draft", doDraft},
		{"bench/copy", doCopy},
		{"bench/drop-test", doDropTest},
	}
}

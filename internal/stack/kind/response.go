package kind

import _ "embed"

// The modules by which functions in templates answer for custom resources. Their
// names and functions are those that CloudFormation gives to such functions; the
// code is ours.
var (
	//go:embed response.py
	pythonResponse string
	//go:embed response.js
	nodeResponse string
)

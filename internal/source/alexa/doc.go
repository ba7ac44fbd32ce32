// Package alexa answers the Alexa cloud: POST /alexa/SKILL carries a request of Alexa, and
// the function that the skill's manifest names answers it. The function's policy has to
// let alexa-appkit.amazon.com in, with the skill's id as event source token or with none.
//
//	s := alexa.New(log, d, functions, alexa.Options{Now: now, Verify: true})
//	s.Requests() // http.Handler of POST /alexa/{skill}
//	s.Manifests() // http.Handler of /v1/skills/...
//
// Manifests are set as by Alexa's Skill Management API. Stages other than development,
// certification, interaction models and speech are not here.
//
// It keeps alexa_skill.
package alexa

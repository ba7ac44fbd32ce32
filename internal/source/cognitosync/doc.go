// Package cognitosync is the embedded Cognito Sync: datasets of records that the devices of
// an identity keep alike, and the function that a pool has asked before records are
// written. The function's policy has to let cognito-sync.amazonaws.com in.
//
//	s := cognitosync.New(d, functions, now)
//	records, err := s.Update(ctx, cognitosync.Update{Pool: pool, Identity: id, Dataset: "settings", Patches: patches})
//
// Push synchronization and streams are not here.
//
// It keeps cognito_trigger, cognito_dataset and cognito_record.
package cognitosync

package alexa

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"

	"plumb/internal/db"
	"plumb/internal/lambda"
)

// What of a stranger is read.
const (
	maxManifest = 256 << 10
	maxSkill    = 255 // of an id
)

// ManifestPath is the beginning of the paths of the Skill Management API.
const ManifestPath = "/v1/skills/"

// Options are what skills need beside the functions.
type Options struct {
	Now    func() time.Time
	Verify bool // whether requests have to be signed by Alexa
	// Certificates is a folder with chains of certificates, read before one is downloaded.
	// Its roots.pem has the roots to trust in place of the machine's.
	Certificates string
}

// Skills are the skills and what answers for them.
type Skills struct {
	log       *slog.Logger
	db        *db.DB
	functions *lambda.Service
	o         Options
	chains    *chains
}

// New returns the skills. Nothing is read before the first request.
func New(log *slog.Logger, d *db.DB, functions *lambda.Service, o Options) *Skills {
	return &Skills{log: log, db: d, functions: functions, o: o, chains: newChains(o.Certificates)}
}

var goodID = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// Manifests answers the part of the Skill Management API that is served. The caller
// checks who may call it.
func (s *Skills) Manifests() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /v1/skills/{id}/stages/{stage}/manifest", s.putManifest)
	mux.HandleFunc("GET /v1/skills/{id}/stages/{stage}/manifest", s.getManifest)
	mux.HandleFunc("GET /v1/skills/{id}/status", s.getStatus)
	mux.HandleFunc("DELETE /v1/skills/{id}", s.deleteSkill)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "NOT_FOUND", "This operation of the Skill Management API is not served here.")
	})
	return mux
}

// violation is how the Skill Management API says what is wrong.
type violation struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	answer(w, status, struct {
		Message    string      `json:"message"`
		Violations []violation `json:"violations"`
	}{message, []violation{{code, message}}})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // a client that has gone away is not our error
}

func (s *Skills) fail(w http.ResponseWriter, err error) {
	if !errors.Is(err, context.Canceled) {
		s.log.Error("request for a skill failed", "err", err)
	}
	refuse(w, http.StatusInternalServerError, "INTERNAL_SERVER_ERROR", "The request could not be answered.")
}

func noSkill(w http.ResponseWriter, id string) {
	refuse(w, http.StatusNotFound, "NOT_FOUND", "There is no skill "+id+".")
}

func goodStage(w http.ResponseWriter, r *http.Request) bool {
	if stage := r.PathValue("stage"); stage != "development" {
		refuse(w, http.StatusNotFound, "NOT_FOUND", "The stage "+stage+" is not served here; development is.")
		return false
	}
	return true
}

// putManifest replaces a manifest. A skill whose id was not seen before is made.
func (s *Skills) putManifest(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !goodStage(w, r) {
		return
	}
	if len(id) > maxSkill || !goodID.MatchString(id) {
		refuse(w, http.StatusBadRequest, "INVALID_REQUEST_PARAMETER", "The id of a skill has letters, digits, dots, underscores and hyphens, 255 at most.")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxManifest))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "INVALID_REQUEST_BODY", "A manifest has 262144 bytes at most.")
		return
	}
	var in struct {
		Manifest json.RawMessage `json:"manifest"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		refuse(w, http.StatusBadRequest, "INVALID_JSON_BODY", "The body is not JSON: "+err.Error()+".")
		return
	}
	if text := bytes.TrimSpace(in.Manifest); len(text) == 0 || text[0] != '{' {
		refuse(w, http.StatusBadRequest, "MISSING_REQUIRED_PROPERTY", "The body needs the member manifest, an object.")
		return
	}
	if _, err := readManifest(in.Manifest); err != nil {
		refuse(w, http.StatusBadRequest, "INVALID_REQUEST_BODY", strings.ToUpper(err.Error()[:1])+err.Error()[1:]+".")
		return
	}
	err = s.db.Write(r.Context(), func(tx *db.Tx) error {
		return put(r.Context(), tx, skill{id, string(in.Manifest), s.o.Now()})
	})
	if err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Location", ManifestPath+id+"/status?resource=manifest")
	w.WriteHeader(http.StatusAccepted)
}

// withSkill reads a skill, or answers that it is not there.
func (s *Skills) withSkill(w http.ResponseWriter, r *http.Request) (k skill, ok bool) {
	err := s.db.Read(r.Context(), func(tx *db.Tx) (err error) {
		k, ok, err = find(r.Context(), tx, r.PathValue("id"))
		return err
	})
	switch {
	case err != nil:
		s.fail(w, err)
		return k, false
	case !ok:
		noSkill(w, r.PathValue("id"))
	}
	return k, ok
}

func (k skill) tag() string {
	sum := sha256.Sum256([]byte(k.manifest))
	return hex.EncodeToString(sum[:16])
}

func (s *Skills) getManifest(w http.ResponseWriter, r *http.Request) {
	if !goodStage(w, r) {
		return
	}
	k, ok := s.withSkill(w, r)
	if !ok {
		return
	}
	w.Header().Set("ETag", k.tag())
	answer(w, http.StatusOK, map[string]json.RawMessage{"manifest": json.RawMessage(k.manifest)})
}

// getStatus says that the last change of a manifest is done: each is, once it is answered.
func (s *Skills) getStatus(w http.ResponseWriter, r *http.Request) {
	k, ok := s.withSkill(w, r)
	if !ok {
		return
	}
	answer(w, http.StatusOK, map[string]any{"manifest": map[string]any{
		"lastUpdateRequest": map[string]string{"status": "SUCCEEDED"}, "eTag": k.tag(),
	}})
}

func (s *Skills) deleteSkill(w http.ResponseWriter, r *http.Request) {
	var found bool
	err := s.db.Write(r.Context(), func(tx *db.Tx) (err error) {
		found, err = remove(r.Context(), tx, r.PathValue("id"))
		return err
	})
	switch {
	case err != nil:
		s.fail(w, err)
	case !found:
		noSkill(w, r.PathValue("id"))
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

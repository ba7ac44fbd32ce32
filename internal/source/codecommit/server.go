package codecommit

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"plumb/internal/audit"
	"plumb/internal/caller"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/source/codecommit/git"
)

// Path is where repositories are on the endpoint.
const Path = "/v1/repos/"

var gitPath = regexp.MustCompile(`^/v1/repos/([\w.-]{1,100})/(info/refs|git-upload-pack|git-receive-pack)$`)

// regionHost is AWS's name for the repositories of a region.
var regionHost = regexp.MustCompile(`^git-codecommit\.([a-z0-9-]+)\.`)

// IsGit reports whether a request is one of git for a repository.
func IsGit(r *http.Request) bool {
	return gitPath.MatchString(r.URL.Path) && !strings.HasPrefix(r.Header.Get("Authorization"), "AWS")
}

// The actions that git's requests are for policies.
const (
	pull = "codecommit:GitPull"
	push = "codecommit:GitPush"
)

// ServerOptions are what the answers to git depend on. All but Authorize are required.
type ServerOptions struct {
	// Identify says who sent a request for a path, and for which of some regions.
	Identify func(r *http.Request, path string, regions func(ctx context.Context, account string) ([]string, error)) (caller.Caller, error)
	// Authorize returns an error for what the caller may not do; nil allows everything.
	Authorize func(ctx context.Context, action, repositoryARN string) error
	// Note is told of each pull and push, and of each that was refused; nil is told nothing.
	Note    func(r *http.Request, who caller.Caller, e audit.Event)
	Region  string // that a name means which is in several
	MaxPush int64  // bytes of a push as it is sent
}

// A Server answers git.
type Server struct {
	log   *slog.Logger
	r     *Repositories
	o     ServerOptions
	turns turns // of those that read a push
}

// NewServer returns a server.
func NewServer(log *slog.Logger, r *Repositories, o ServerOptions) *Server {
	return &Server{log: log, r: r, o: o}
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m := gitPath.FindStringSubmatch(r.URL.Path)
	service, advertise := m[2], m[2] == "info/refs"
	if advertise {
		service = r.URL.Query().Get("service")
	}
	switch {
	case service != git.UploadPack && service != git.ReceivePack:
		http.Error(w, "This server speaks git's smart protocol only.", http.StatusForbidden)
		return
	case advertise && r.Method != http.MethodGet, !advertise && r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodGet+", "+http.MethodPost)
		http.Error(w, "Method not allowed.", http.StatusMethodNotAllowed)
		return
	}
	who, x, err := s.admit(r, m[1], service)
	if err != nil {
		s.note(r, who, x, m[1], service, err)
		s.refuse(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-cache")
	ctx := caller.With(r.Context(), who)
	if advertise {
		err = s.advertise(ctx, w, x, service)
	} else {
		err = s.serve(ctx, w, r, x, service)
		s.note(r, who, x, m[1], service, err)
	}
	if err != nil && r.Context().Err() == nil {
		s.log.Error("request of git failed", "account", x.Account, "region", x.Region, "resource", x.Name, "operation", service, "err", err)
	}
}

// note tells of a pull or a push. A client that says nothing of itself is asked to, which
// is no refusal yet.
func (s *Server) note(r *http.Request, who caller.Caller, x Repository, name, service string, err error) {
	_, _, signed := r.BasicAuth()
	if s.o.Note == nil || !signed && model.IsCode(err, model.MissingAuthenticationToken().Code) {
		return
	}
	e := audit.Event{Service: "codecommit", Operation: "GitPull", Place: x.Place, Resources: []string{name}}
	if service == git.ReceivePack {
		e.Operation = "GitPush"
	}
	if x.ID != "" {
		e.Resources = append(e.Resources, x.ARN())
	}
	named, ok := model.Named(err)
	switch {
	case err == nil:
	case errors.Is(err, errNone):
		e.Code, e.Message = "RepositoryDoesNotExistException", err.Error()
	case ok:
		e.Code, e.Message = named.Code, named.Message
	default:
		e.Code = "InternalFailure"
	}
	s.o.Note(r, who, e)
}

// errNone says that there is no such repository, for whoever asks without saying who they are.
var errNone = errors.New("repository not found")

// admit finds the repository of a request, and out who may use it.
func (s *Server) admit(r *http.Request, name, service string) (who caller.Caller, x Repository, err error) {
	who, err = s.o.Identify(r, Path+name, func(ctx context.Context, account string) ([]string, error) {
		if m := regionHost.FindStringSubmatch(r.Host); m != nil {
			return []string{m[1]}, nil
		}
		return s.regions(ctx, account, name)
	})
	if err != nil {
		return who, x, err
	}
	err = s.r.Read(r.Context(), func(tx *db.Tx) (err error) {
		if x, err = Find(r.Context(), tx, config.Place{Account: who.Account, Region: who.Region}, name); !model.IsCode(err, "RepositoryDoesNotExistException") {
			return err
		}
		// Whoever sent no name may be of another account, which has it.
		if _, _, signed := r.BasicAuth(); !signed {
			elsewhere, err := anyNamed(r.Context(), tx, name)
			if err != nil {
				return err
			}
			if elsewhere {
				return model.MissingAuthenticationToken()
			}
		}
		return errNone
	})
	if err != nil || s.o.Authorize == nil {
		return who, x, err
	}
	action := pull
	if service == git.ReceivePack {
		action = push
	}
	return who, x, s.o.Authorize(caller.With(r.Context(), who), action, x.ARN())
}

// regions are those that a repository's name may mean: the server's own first.
func (s *Server) regions(ctx context.Context, account, name string) (list []string, err error) {
	err = s.r.Read(ctx, func(tx *db.Tx) (err error) {
		list, err = Regions(ctx, tx, account, name)
		return err
	})
	if i := slices.Index(list, s.o.Region); i > 0 {
		list[0], list[i] = list[i], list[0]
	}
	return list, err
}

// refuse answers what is not let in. git asks for a user and a password after 401.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	named, ok := model.Named(err)
	switch {
	case errors.Is(err, errNone):
		http.Error(w, "repository not found", http.StatusNotFound)
	case model.IsCode(err, model.MissingAuthenticationToken().Code):
		w.Header().Set("WWW-Authenticate", `Basic realm="AWS CodeCommit"`)
		http.Error(w, "Sign in with an access key: configure git's credential helper as AWS's documentation has it.", http.StatusUnauthorized)
	case ok:
		http.Error(w, named.Message, http.StatusForbidden)
	default:
		if r.Context().Err() == nil {
			s.log.Error("request of git failed", "err", err)
		}
		http.Error(w, "internal error", http.StatusInternalServerError)
	}
}

func (s *Server) advertise(ctx context.Context, w http.ResponseWriter, x Repository, service string) error {
	var refs []git.Ref
	err := s.r.Read(ctx, func(tx *db.Tx) (err error) {
		refs, err = Refs(ctx, tx, x.ID)
		return err
	})
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return err
	}
	w.Header().Set("Content-Type", "application/x-"+service+"-advertisement")
	return git.Advertise(w, service, heads+x.DefaultBranch, refs)
}

// maxFetch is how many bytes a request has that asks for objects.
const maxFetch = 8 << 20

func (s *Server) serve(ctx context.Context, w http.ResponseWriter, r *http.Request, x Repository, service string) error {
	most := int64(maxFetch)
	if service == git.ReceivePack {
		most = s.o.MaxPush
	}
	body := io.Reader(r.Body)
	if strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") {
		z, err := gzip.NewReader(body)
		if err != nil {
			http.Error(w, "The body is not in gzip.", http.StatusBadRequest)
			return nil
		}
		body = z
	}
	bounded := &bounded{r: body, left: most}
	w.Header().Set("Content-Type", "application/x-"+service+"-result")
	if service == git.ReceivePack {
		return s.receive(ctx, w, bounded, x)
	}
	out := &begun{ResponseWriter: w}
	err := git.Upload(out, bounded, s.r.objectsOf(ctx, x.ID))
	switch {
	case err == nil:
	case out.begun:
		return err
	case git.IsMalformed(err):
		http.Error(w, err.Error(), http.StatusBadRequest)
		return nil
	default:
		http.Error(w, "internal error", http.StatusInternalServerError)
	}
	return err
}

// begun notes that an answer has begun, so that it can be no other any more.
type begun struct {
	http.ResponseWriter
	begun bool
}

func (b *begun) Write(p []byte) (int, error) {
	b.begun = true
	return b.ResponseWriter.Write(p)
}

// limits are those of a push, which is in memory until it is kept: unpacked it may be many
// times as large as it is sent, object by object.
func (s *Server) limits() git.Limits {
	return git.Limits{Objects: 1_000_000, Object: s.o.MaxPush, Total: 16 * s.o.MaxPush, Kept: 2 * s.o.MaxPush}
}

// receive takes a push: all of its objects are read and checked before anything is written.
func (s *Server) receive(ctx context.Context, w http.ResponseWriter, body *bounded, x Repository) error {
	who := caller.From(ctx)
	release, err := s.turns.take(ctx, pusher{who.Account, who.AccessKeyID})
	if err != nil {
		return err
	}
	defer release()
	body.until = time.Now().Add(maxPushTime)
	p, err := git.ReadPush(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return nil
	}
	if len(p.Commands) == 0 {
		return nil
	}
	refused, failure, err := s.take(ctx, p, x)
	if body.exceeded {
		failure = git.ErrTooLarge.Error()
	}
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return err
	}
	// A client reads the report once it has sent everything.
	body.left = 4 * s.o.MaxPush
	io.Copy(io.Discard, body) // its end does not matter any more
	var report bytes.Buffer
	if err := p.WriteReport(&report, failure, refused); err != nil {
		return err
	}
	_, err = w.Write(report.Bytes())
	return err
}

// take does what a push asks for, and says what was refused: all of it, where failure says why.
func (s *Server) take(ctx context.Context, p git.Push, x Repository) (refused map[string]string, failure string, err error) {
	all := func(reason string) map[string]string {
		out := map[string]string{}
		for _, c := range p.Commands {
			out[c.Ref] = reason
		}
		return out
	}
	source := s.r.objectsOf(ctx, x.ID)
	u := Update{Commands: p.Commands, Atomic: p.Atomic}
	if p.Pack != nil {
		noted := &noting{Source: source}
		if u.Objects, err = git.ReadPack(p.Pack, s.limits(), noted); err == nil {
			err = git.Check(u.Objects, noted)
		}
		if noted.err != nil {
			return nil, "", noted.err
		}
		if err != nil {
			s.log.Info("push was refused", "account", x.Account, "region", x.Region, "resource", x.Name, "err", err)
			return all("unpacker error"), oneLine(err.Error()), nil
		}
	}
	if err := u.prepare(source); err != nil {
		return nil, "", err
	}
	err = s.r.Write(ctx, func(tx *db.Tx) (err error) {
		refused, err = s.r.Apply(ctx, tx, x, u)
		return err
	})
	if model.IsCode(err, "RepositoryDoesNotExistException") {
		return all("the repository is gone"), "", nil
	}
	return refused, "", err
}

// bounded is the beginning of a body. Reading on is an error.
type bounded struct {
	r        io.Reader
	left     int64
	exceeded bool
	until    time.Time // zero: it may take its time
}

var errSlow = errors.New("the push took too long to come")

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		b.exceeded = true
		return 0, git.ErrTooLarge
	}
	if !b.until.IsZero() && time.Now().After(b.until) {
		return 0, errSlow
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// noting notes an error of the store, which is not the client's.
type noting struct {
	git.Source
	err error
}

// Objects returns those that are there.
func (n *noting) Objects(ids []string) ([]git.Object, error) {
	list, err := n.Source.Objects(ids)
	n.err = errors.Join(n.err, err)
	return list, err
}

// Look says what those are that are there.
func (n *noting) Look(ids []string) (map[string]git.Info, error) {
	list, err := n.Source.Look(ids)
	n.err = errors.Join(n.err, err)
	return list, err
}

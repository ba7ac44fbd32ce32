package awsclient

import (
	"fmt"
	"io/fs"
	"sync"

	"plumb/internal/model"
)

// Models reads service descriptions on first use and keeps them. One is enough for a program: clients share it.
type Models struct {
	folder *model.Folder

	mu     sync.Mutex
	loaded map[string]*model.API
}

// NewModels returns the descriptions in a folder of stripped models (package models has ours).
func NewModels(fsys fs.FS) *Models {
	return &Models{folder: model.NewFolder(fsys), loaded: map[string]*model.API{}}
}

// API returns the description of a service, by the name of its file: "ec2".
func (m *Models) API(service string) (*model.API, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if api := m.loaded[service]; api != nil {
		return api, nil
	}
	api, err := m.folder.Load(service)
	if err != nil {
		return nil, fmt.Errorf("service %q cannot be called: %w", service, err)
	}
	m.loaded[service] = api
	return api, nil
}

// operation finds an operation and its service.
func (m *Models) operation(service, operation string) (*model.API, *model.Operation, error) {
	api, err := m.API(service)
	if err != nil {
		return nil, nil, err
	}
	op := api.Operations[operation]
	if op == nil {
		return nil, nil, fmt.Errorf("operation %s of %s is not among the models: strip %[2]s again", operation, service)
	}
	return api, op, nil
}

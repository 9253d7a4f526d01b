// Package process runs the programs under test as children that cannot outlive
// the test: each in its own process group, with its output in a file.
package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Process is a running or ended child.
type Process struct {
	Name string
	Log  string // the file that holds its output

	cmd     *exec.Cmd
	done    chan struct{}
	err     error
	stopped atomic.Bool // by us, with SIGSTOP
}

// Start runs argv with env added to our environment and its output appended to
// the file log.
func Start(name, log string, env []string, argv ...string) (*Process, error) {
	if err := os.MkdirAll(filepath.Dir(log), 0o755); err != nil {
		return nil, err
	}
	output, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer output.Close()

	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := startFromThread(cmd); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	p := &Process{Name: name, Log: log, cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// The kernel sends Pdeathsig when the parent *thread* ends, and Go ends threads
// as it likes. So one locked thread, which lives as long as we do, starts all.
var startRequests = sync.OnceValue(func() chan<- func() {
	requests := make(chan func())
	go func() {
		runtime.LockOSThread()
		for request := range requests {
			request()
		}
	}()
	return requests
})

func startFromThread(cmd *exec.Cmd) error {
	result := make(chan error)
	startRequests() <- func() { result <- cmd.Start() }
	return <-result
}

// Pid is the child's process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Running says whether the child has not ended yet.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Err tells how the child ended; nil for exit status 0, or if it still runs.
func (p *Process) Err() error {
	if p.Running() {
		return nil
	}
	return p.err
}

// Signal sends sig to the child's process group.
func (p *Process) Signal(sig syscall.Signal) {
	switch sig {
	case syscall.SIGSTOP:
		p.stopped.Store(true)
	case syscall.SIGCONT:
		p.stopped.Store(false)
	}
	if p.Running() {
		_ = syscall.Kill(-p.Pid(), sig)
	}
}

// Kill ends the child at once and waits until it is gone.
func (p *Process) Kill() {
	p.Signal(syscall.SIGKILL)
	<-p.done
}

// Stop asks the child to end, kills it after grace, and says whether it ended
// by itself. A stopped (SIGSTOP) child is continued, or it could not hear us; no
// other one is: at its exit the leak sanitizer stops the process by ptrace, and waits
// for ever if a SIGCONT comes at that moment.
func (p *Process) Stop(grace time.Duration) bool {
	p.Signal(syscall.SIGTERM)
	if p.stopped.Load() {
		p.Signal(syscall.SIGCONT)
	}
	select {
	case <-p.done:
		return true
	case <-time.After(grace):
		p.tellWhatItDoes()
		p.Kill()
		return false
	}
}

// tellWhatItDoes writes what each thread of a child that does not end is at behind its
// output: it is gone soon, and nobody can look any more.
func (p *Process) tellWhatItDoes() {
	log, err := os.OpenFile(p.Log, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return
	}
	defer log.Close()
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", p.Pid()))
	for _, thread := range threads {
		fmt.Fprintf(log, "--- it does not end; thread %s:", filepath.Base(thread))
		for _, name := range []string{"stat", "wchan", "syscall", "stack"} {
			text, _ := os.ReadFile(filepath.Join(thread, name))
			fmt.Fprintf(log, " %s: %s;", name, strings.TrimSpace(string(text)))
		}
		fmt.Fprintln(log)
	}
}

// Output is all that the child has written so far.
func (p *Process) Output() string {
	data, err := os.ReadFile(p.Log)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// Tail is the last lines of the child's output.
func (p *Process) Tail(lines int) string {
	all := strings.Split(strings.TrimRight(p.Output(), "\n"), "\n")
	if len(all) > lines {
		all = all[len(all)-lines:]
	}
	return strings.Join(all, "\n")
}

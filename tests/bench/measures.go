package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"ringside.dev/ringside/tests/e2e/wire"
)

// measure gives a value for each of its names; -1: there is none.
type measure struct {
	names []string
	run   func(*upstream, *proxy) ([]float64, error)
}

var measures = []measure{
	{[]string{"GET of 1 KiB, HTTP/2, CPU us"}, func(_ *upstream, p *proxy) ([]float64, error) { return small(p, true) }},
	{[]string{"GET of 1 KiB, HTTP/1.1, CPU us"}, func(_ *upstream, p *proxy) ([]float64, error) { return small(p, false) }},
	{[]string{"list of 10 MiB, CPU ms", "list of 10 MiB, MiB/s"}, func(_ *upstream, p *proxy) ([]float64, error) { return list(p, 10, 20) }},
	{[]string{"list of 100 MiB, CPU ms", "list of 100 MiB, MiB/s"}, func(_ *upstream, p *proxy) ([]float64, error) { return list(p, 100, 3) }},
	{[]string{"watch event delay p50, us", "watch event delay p99, us"}, delay},
	{[]string{"RSS, 200 idle watches, MiB"}, idle},
	{[]string{"RSS, 30 stalled readers, MiB"}, stalled},
}

func newClient(isHTTP2 bool) *http.Client {
	transport := &http.Transport{
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: true},
		ForceAttemptHTTP2:   isHTTP2,
		MaxIdleConnsPerHost: 1000,
	}
	if !isHTTP2 {
		transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	return &http.Client{Transport: transport}
}

func open(ctx context.Context, client *http.Client, p *proxy, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, "GET", "https://"+p.address+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err == nil && response.StatusCode != 200 {
		err = fmt.Errorf("%s: %s", path, response.Status)
		response.Body.Close()
	}
	return response, err
}

func read(client *http.Client, p *proxy, path string) error {
	response, err := open(context.Background(), client, p, path)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

func (p *proxy) cpu() time.Duration {
	var total time.Duration
	for _, pid := range p.pids() {
		total += wire.CPUOf(pid)
	}
	return total
}

func (p *proxy) rss() float64 {
	pids, total := p.pids(), 0.0
	for _, pid := range pids {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		for line := range bytes.Lines(text) {
			if value, ok := strings.CutPrefix(string(line), "VmRSS:"); ok {
				n, _ := strconv.Atoi(strings.Fields(value)[0])
				total += float64(n) / 1024
			}
		}
	}
	if len(pids) == 0 {
		return -1
	}
	return total
}

// repeat does something count times, by some workers at once.
func repeat(workers, count int, do func() error) error {
	errs := make(chan error, workers)
	for range workers {
		go func() {
			var err error
			for i := 0; i < count/workers && err == nil; i++ {
				err = do()
			}
			errs <- err
		}()
	}
	var first error
	for range workers {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

func perRequest(p *proxy, used time.Duration, count int, unit time.Duration) float64 {
	if len(p.pids()) == 0 {
		return -1
	}
	return float64(used) / float64(unit) / float64(count)
}

func small(p *proxy, isHTTP2 bool) ([]float64, error) {
	const workers, count = 32, 24000
	client := newClient(isHTTP2)
	defer client.CloseIdleConnections()
	get := func() error { return read(client, p, "/small") }
	if err := repeat(workers, 2000, get); err != nil {
		return nil, err
	}
	before := p.cpu()
	err := repeat(workers, count, get)
	return []float64{perRequest(p, p.cpu()-before, count, time.Microsecond)}, err
}

func list(p *proxy, mib, count int) ([]float64, error) {
	client := newClient(true)
	defer client.CloseIdleConnections()
	if err := read(client, p, "/small"); err != nil {
		return nil, err
	}
	before, began := p.cpu(), time.Now()
	for range count {
		if err := read(client, p, fmt.Sprintf("/list?mib=%d", mib)); err != nil {
			return nil, err
		}
	}
	return []float64{
		perRequest(p, p.cpu()-before, count, time.Millisecond),
		float64(mib*count) / time.Since(began).Seconds(),
	}, nil
}

// watch opens n watches; on is told of each line that comes.
func watch(ctx context.Context, client *http.Client, p *proxy, n int, on func(string)) error {
	for range n {
		response, err := open(ctx, client, p, "/watch")
		if err != nil {
			return err
		}
		go func() {
			defer response.Body.Close()
			for lines := bufio.NewScanner(response.Body); lines.Scan(); {
				on(lines.Text())
			}
		}()
	}
	return nil
}

func delay(u *upstream, p *proxy) ([]float64, error) {
	const watches, perSecond, count = 100, 200, 1000
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client := newClient(true)
	defer client.CloseIdleConnections()
	var mutex sync.Mutex
	var delays []float64
	all := make(chan bool)
	err := watch(ctx, client, p, watches, func(line string) {
		now := time.Now().UnixNano()
		if line == bookmark {
			return
		}
		sent, _ := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
		mutex.Lock()
		defer mutex.Unlock()
		if delays = append(delays, float64(now-sent)/1000); len(delays) == count {
			close(all)
		}
	})
	if err != nil {
		return nil, err
	}
	feed(ctx, u.takeWatches(), perSecond, count)
	select {
	case <-all:
	case <-ctx.Done():
		return nil, fmt.Errorf("%d of %d events came", len(delays), count)
	}
	slices.Sort(delays)
	return []float64{delays[count/2], delays[count*99/100]}, nil
}

func idle(u *upstream, p *proxy) ([]float64, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	client := newClient(true)
	defer client.CloseIdleConnections()
	err := watch(ctx, client, p, 200, func(string) {})
	u.takeWatches()
	return []float64{p.rss()}, err
}

func stalled(_ *upstream, p *proxy) ([]float64, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	client := newClient(false)
	defer client.CloseIdleConnections()
	for range 30 {
		response, err := open(ctx, client, p, "/list?mib=100")
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
	}
	// Until what can be taken has been taken.
	last := -1.0
	for now := p.rss(); now > last; now = p.rss() {
		last = now
		time.Sleep(time.Second)
	}
	return []float64{last}, nil
}

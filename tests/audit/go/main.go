// SPDX-License-Identifier: MIT

// Command oracle judges receipts, proofs and notes with Go's own packages sumdb/note and sumdb/tlog, which know nothing of ours.
//
// It reads one JSON case a line and answers each with {"accepted": true} or {"accepted": false, "why": "..."}.
// tests/audit/oracle.py builds it and speaks to it.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"oracle/note"
	"oracle/tlog"
)

// A Case is one question; which fields are read depends on the kind.
type Case struct {
	Kind    string   `json:"kind"`
	Vkeys   []string `json:"vkeys"`
	Note    string   `json:"note"`
	Later   string   `json:"later"`
	Receipt string   `json:"receipt"`
	Leaf    []byte   `json:"leaf"`
	Index   int64    `json:"index"`
	Old     int64    `json:"old"`
	Size    int64    `json:"size"`
	OldRoot []byte   `json:"old_root"`
	Root    []byte   `json:"root"`
	Proof   [][]byte `json:"proof"`
}

// An Answer is what Go thinks of a case.
type Answer struct {
	Accepted bool   `json:"accepted"`
	Why      string `json:"why,omitempty"`
}

var kinds = map[string]func(Case) error{
	"note":        judgeNote,
	"receipt":     judgeReceipt,
	"checkpoints": judgeCheckpoints,
	"inclusion":   judgeInclusion,
	"consistency": judgeConsistency,
	"root":        judgeRoot,
}

func main() {
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	answers := json.NewEncoder(os.Stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		if err := answers.Encode(judge(line)); err != nil {
			os.Exit(1)
		}
	}
}

func judge(line []byte) Answer {
	var asked Case
	if err := json.Unmarshal(line, &asked); err != nil {
		return Answer{Why: "no case: " + err.Error()}
	}
	verdict, known := kinds[asked.Kind]
	if !known {
		return Answer{Why: "no case: of no known kind"}
	}
	if err := verdict(asked); err != nil {
		return Answer{Why: err.Error()}
	}
	return Answer{Accepted: true}
}

func judgeNote(asked Case) error {
	_, err := open(asked.Note, asked.Vkeys)
	return err
}

func judgeReceipt(asked Case) error {
	head, checkpoint, found := strings.Cut(asked.Receipt, "\n\n")
	lines := strings.Split(head, "\n")
	if !found || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("no tlog-proof")
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return errors.New("no index")
	}
	index, err := decimal(strings.TrimPrefix(lines[0], "index "))
	if err != nil {
		return err
	}
	proof := tlog.RecordProof{}
	for _, line := range lines[1:] {
		hash, err := parseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	size, root, err := openCheckpoint(checkpoint, asked.Vkeys)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, size, root, index, tlog.RecordHash(asked.Leaf))
}

func judgeCheckpoints(asked Case) error {
	old, oldRoot, err := openCheckpoint(asked.Note, asked.Vkeys)
	if err != nil {
		return err
	}
	size, root, err := openCheckpoint(asked.Later, asked.Vkeys)
	if err != nil {
		return err
	}
	proof, err := hashes(asked.Proof)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, size, root, old, oldRoot)
}

func judgeInclusion(asked Case) error {
	proof, err := hashes(append([][]byte{asked.Root}, asked.Proof...))
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof[1:], asked.Size, proof[0], asked.Index, tlog.RecordHash(asked.Leaf))
}

func judgeConsistency(asked Case) error {
	proof, err := hashes(append([][]byte{asked.Root, asked.OldRoot}, asked.Proof...))
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof[2:], asked.Size, proof[0], asked.Old, proof[1])
}

// judgeRoot builds the tree from its entries with Go's own storage of hashes.
func judgeRoot(asked Case) error {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, 0, len(indexes))
		for _, index := range indexes {
			found = append(found, stored[index])
		}
		return found, nil
	})
	for index, leaf := range asked.Proof {
		fresh, err := tlog.StoredHashes(int64(index), leaf, reader)
		if err != nil {
			return err
		}
		stored = append(stored, fresh...)
	}
	root, err := tlog.TreeHash(int64(len(asked.Proof)), reader)
	if err != nil {
		return err
	}
	if string(root[:]) != string(asked.Root) {
		return errors.New("another root")
	}
	return nil
}

func open(text string, vkeys []string) (*note.Note, error) {
	var known []note.Verifier
	for _, vkey := range vkeys {
		verifier, err := note.NewVerifier(vkey)
		if err != nil {
			return nil, err
		}
		known = append(known, verifier)
	}
	return note.Open([]byte(text), note.VerifierList(known...))
}

// openCheckpoint returns size and root of a tlog-checkpoint that a key of the log's own name has signed.
func openCheckpoint(text string, vkeys []string) (int64, tlog.Hash, error) {
	opened, err := open(text, vkeys)
	if err != nil {
		return 0, tlog.Hash{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] == "" {
		return 0, tlog.Hash{}, errors.New("no checkpoint")
	}
	signed := false
	for _, signature := range opened.Sigs {
		signed = signed || signature.Name == lines[0]
	}
	if !signed {
		return 0, tlog.Hash{}, errors.New("the checkpoint of another log")
	}
	size, err := decimal(lines[1])
	if err != nil {
		return 0, tlog.Hash{}, err
	}
	root, err := parseHash(lines[2])
	return size, root, err
}

func decimal(text string) (int64, error) {
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number < 0 || strconv.FormatInt(number, 10) != text {
		return 0, fmt.Errorf("no plain decimal")
	}
	return number, nil
}

func parseHash(text string) (tlog.Hash, error) {
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return tlog.Hash{}, err
	}
	found, err := hashes([][]byte{data})
	if err != nil {
		return tlog.Hash{}, err
	}
	return found[0], nil
}

func hashes(data [][]byte) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(data))
	for place, each := range data {
		if len(each) != tlog.HashSize {
			return nil, errors.New("a hash has 32 bytes")
		}
		copy(found[place][:], each)
	}
	return found, nil
}

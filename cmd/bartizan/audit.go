package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"bartizan/store"
	"bartizan/triage"
)

func newAudit(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "audit", Short: "prove that the journal of decisions is whole",
		Example: `  bartizan audit head >> /mnt/usb/bartizan.anchors     # keep the signed end elsewhere
  bartizan audit verify --anchor /mnt/usb/bartizan.anchors`,
	}
	c.AddCommand(auditVerify(a), auditHead(a), auditExport(a))
	for _, sub := range c.Commands() {
		a.stateFlags(sub)
	}
	return c
}

// readBoard opens the board for looking, beside a running engine.
func (a *app) readBoard() (*store.DB, error) {
	c, err := a.config()
	if err != nil {
		return nil, err
	}
	dir, err := stateDir(a.state, c.Board.State, nil)
	if err != nil {
		return nil, err
	}
	return store.OpenReadOnly(dir)
}

// verified is what audit verify -o json prints.
type verified struct {
	triage.Proof
	OK    bool   `json:"ok"`
	Words string `json:"words"`
}

func auditVerify(a *app) *cobra.Command {
	var anchors []string
	c := &cobra.Command{
		Use: "verify", Short: "check the hash chain, against anchors kept elsewhere; exit 1 when something was changed", Args: cobra.NoArgs,
		Example: "  bartizan audit verify --anchor /mnt/usb/bartizan.anchors",
		RunE: func(*cobra.Command, []string) error {
			asJSON, err := a.json()
			if err != nil {
				return err
			}
			var heads []triage.Head
			for _, f := range anchors {
				h, err := store.ReadAnchors(f)
				if err != nil {
					return err
				}
				heads = append(heads, h...)
			}
			db, err := a.readBoard()
			if err != nil {
				return err
			}
			defer func() { _ = db.Close() }()
			proof, err := db.Verify(heads...)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(verified{proof, true, proof.Words()})
			}
			_, err = fmt.Fprintln(a.out, proof.Words())
			return err
		},
	}
	c.Flags().StringArrayVar(&anchors, "anchor", nil, "`FILE` of anchors written by audit head or board.anchor; repeatable")
	a.outputFlag(c)
	return c
}

func auditHead(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "head", Short: "print the journal's end, signed: keep it on other media as an anchor", Args: cobra.NoArgs,
		Example: "  bartizan audit head | logger -t bartizan-anchor",
		RunE: func(*cobra.Command, []string) error {
			db, err := a.readBoard()
			if err != nil {
				return err
			}
			defer func() { _ = db.Close() }()
			h, err := db.SignHead(nowUTC())
			if err != nil {
				return err
			}
			return a.printJSON(h)
		},
	}
}

func auditExport(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "export", Short: "print every row of the journal as NDJSON, hashes included", Args: cobra.NoArgs,
		Example: "  bartizan audit export > journal.ndjson",
		RunE: func(c *cobra.Command, _ []string) error {
			db, err := a.readBoard()
			if err != nil {
				return err
			}
			defer func() { _ = db.Close() }()
			for e, err := range db.Entries(c.Context()) {
				if err == nil {
					err = a.printJSON(e)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
}

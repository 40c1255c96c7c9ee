"""What can be typed after `evalhub datasets` and `evalhub export`."""

from __future__ import annotations

from typing import Any

from evalhub_client.parsing import add_command

_DATASETS_EPILOG = """\
examples:
  evalhub datasets
  evalhub datasets update gsm8k --tag maths --description @about.md
  evalhub datasets duplicate gsm8k --name "GSM8K, cleaned\""""
_EXPORT_EPILOG = """\
An import takes the file back without loss.
examples:
  evalhub export gsm8k -o gsm8k.csv
  evalhub export gsm8k --version 3 --split test > test.jsonl"""

ACTS = {
    "archive": "make a dataset read-only and take it out of the list",
    "unarchive": "take a dataset back out of the archive",
    "pin": "let a dataset come first, for everybody in the project",
    "unpin": "let a pinned dataset stand where its last change puts it",
}


def add_dataset_commands(commands: Any) -> None:
    """`datasets`, which lists them when nothing follows it, and `export`."""
    summary = "list or change the project's datasets"
    command = add_command(commands, "datasets", "datasets", summary, _DATASETS_EPILOG)
    command.set_defaults(archived=False)
    verbs = command.add_subparsers(dest="verb", metavar="ACTION", title="actions")
    listing = add_command(verbs, "list", "datasets", "list the datasets")
    listing.add_argument("--archived", action="store_true", help="those in the archive instead")
    create = add_command(verbs, "create", "datasets", "make an empty dataset")
    create.add_argument("name", metavar="NAME")
    create.add_argument("--slug", metavar="SLUG", default="", help="default: made from the name")
    update = add_command(verbs, "update", "datasets", "change what is given, leave the rest")
    update.add_argument("dataset", metavar="DATASET", help="name or slug")
    update.add_argument("--name", metavar="NAME")
    for to in (create, update):
        to.add_argument("--description", metavar="TEXT", help="markdown, or @FILE")
        to.add_argument(
            "--tag", metavar="TAG", action="append", help="again for more; these are all it has"
        )
    update.add_argument("--no-tags", action="store_true", help="take its tags away")
    duplicate = add_command(verbs, "duplicate", "datasets", "make a dataset with all of another")
    duplicate.add_argument("dataset", metavar="DATASET", help="name or slug")
    duplicate.add_argument("--name", metavar="NAME", default="", help="default: Copy of ...")
    defaults = add_command(verbs, "defaults", "datasets", "show or set what its runs begin with")
    defaults.add_argument("dataset", metavar="DATASET", help="name or slug")
    defaults.add_argument("--target", metavar="REF", help="any reference; an empty one for none")
    defaults.add_argument(
        "--scorer", metavar="SPEC", action="append", help="a name or a JSON object; again for more"
    )
    defaults.add_argument("--cluster-field", metavar="PATH", help="such as metadata.customer")
    for name, summary in (*ACTS.items(), ("delete", "delete a dataset; its runs stay readable")):
        act = add_command(verbs, name, "datasets", summary)
        act.add_argument("dataset", metavar="DATASET", help="name or slug")
        if name == "delete":
            act.add_argument("--yes", action="store_true", help="do not ask for its name")
    baseline = add_command(
        commands, "baseline", "baseline", "show or pin the run that others are compared with"
    )
    baseline.add_argument("dataset", metavar="DATASET", help="name or slug")
    baseline.add_argument("run", metavar="RUN", nargs="?", help="number or uuid; none shows it")
    baseline.add_argument("--none", action="store_true", help="unpin the baseline there is")
    _add_export(commands)


def _add_export(commands: Any) -> None:
    summary = "write out the items of a dataset"
    export = add_command(commands, "export", "exporting", summary, _EXPORT_EPILOG)
    export.add_argument("dataset", metavar="DATASET", help="name or slug")
    export.add_argument("-o", "--output", metavar="FILE", help="default: standard output")
    export.add_argument(
        "--format",
        choices=("csv", "json", "jsonl"),
        help="default: by the file's ending, else jsonl",
    )
    export.add_argument("--version", metavar="N", type=int, help="default: the newest")
    export.add_argument("--where", metavar="FILTER", default="", help="only items that match")
    export.add_argument("--search", metavar="TEXT", default="", help="only items that hold it")
    export.add_argument("--split", metavar="NAME", default="", help="only items of this split")
    export.add_argument("--numbers", metavar="LIST", default="", help="only these, as 1-50,60")

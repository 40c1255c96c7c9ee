"""Commands of the fault tests, each in a process of its own: `python -m tests.faults.driver WORD
...`.
"""

from __future__ import annotations

import json
import sys

from evalhub import local


def main(words: list[str]) -> object:
    local.setup()
    from django.conf import settings
    from django.db.models import Count

    from datasets_app import public
    from datasets_app.actions import add_items, create_dataset
    from datasets_app.items import parse_item
    from evalhub.access.models import Project, User
    from runs_app.actions import cancel_run, start_run
    from runs_app.engine.sweeper import sweep
    from runs_app.models import Result, Run, Score, Shard, Stay

    match words:
        case ["prepare"]:
            local.migrate()
            local.ensure_defaults()
            return {"home": str(settings.EVALHUB_HOME)}
        case ["start", count, target, concurrency]:
            project, user = Project.objects.get(), User.objects.get()
            dataset = create_dataset(project=project, name=f"Faults {count}", by=user)
            contents = [
                parse_item({"input": {"n": n}, "expected_output": {"n": n}})
                for n in range(int(count))
            ]
            add_items(dataset=dataset, contents=contents, by=user)
            run = start_run(
                project=project,
                dataset=public.find_dataset(user, project, dataset.slug),
                target=target,
                scorers=["exact_match", "json_match"],
                by=user,
                concurrency=int(concurrency),
            )
            return {"run": run.pk}
        case ["count", run_id]:
            run = Run.objects.get(pk=run_id)
            return {"status": run.status, "results": Result.objects.filter(run=run).count()}
        case ["held", run_id]:
            return {
                "stays": Stay.objects.filter(run=run_id).count(),
                "leases": Shard.objects.filter(run=run_id).exclude(lease_until=None).count(),
                "strikes": sum(Shard.objects.filter(run=run_id).values_list("strikes", flat=True)),
            }
        case ["errors", run_id]:
            wrong = Result.objects.filter(run=run_id).exclude(error_type="")
            return list(wrong.values_list("item_number", "error_type"))
        case ["cancel", run_id]:
            run = cancel_run(run=Run.objects.get(pk=run_id), by=User.objects.get())
            return {"status": run.status}
        case ["sweep"]:
            return {"touched": sweep()}
        case ["audit", run_id]:
            run = Run.objects.get(pk=run_id)
            results = Result.objects.filter(run=run)
            doubles = results.values("item_number").annotate(n=Count("pk")).filter(n__gt=1)
            inputs = {
                row.revision_id: row.input_json
                for row in public.revisions_by_id(
                    list(results.values_list("revision_id", flat=True))
                ).values()
            }
            shown = run.summary or {}
            return {
                "status": run.status,
                "results": results.count(),
                "scores": Score.objects.filter(run_scorer__run=run).count(),
                "double": doubles.count(),
                "strange": sum(
                    1
                    for row in results.values_list("revision_id", "output_json")
                    if inputs[row[0]] != row[1]
                ),
                "succeeded": run.succeeded,
                "failed": run.failed,
                "summary_total": shown.get("succeeded", 0) + shown.get("failed", 0),
            }
    raise SystemExit(f"no such command: {words}")


if __name__ == "__main__":
    json.dump(main(sys.argv[1:]), sys.stdout)

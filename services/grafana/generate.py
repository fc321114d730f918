"""Writes dashboards/streamlasso.json; with --check only compares, and exits 1 on a difference.

Needs grafana-foundation-sdk==0.0.21: other versions build for other releases of Grafana.
"""

import difflib
import json
import sys
import warnings
from pathlib import Path
from typing import TypeVar

from panels import ROWS, STATS, Panel, Query

with warnings.catch_warnings():
    # The SDK prefers its newer dashboard schema, which older Grafana cannot load from files.
    warnings.simplefilter("ignore", DeprecationWarning)
    from grafana_foundation_sdk.builders import common as options
    from grafana_foundation_sdk.builders import dashboard, prometheus, stat, timeseries
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models import common
    from grafana_foundation_sdk.models import dashboard as schema

OUTPUT = Path(__file__).parent / "dashboards" / "streamlasso.json"
DATA_SOURCE = common.DataSourceRef(type_val="prometheus", uid="${datasource}")

AnyPanel = TypeVar("AnyPanel", stat.Panel, timeseries.Panel)


def target(query: Query, number: int) -> prometheus.Dataquery:
    built = prometheus.Dataquery().ref_id(chr(ord("A") + number)).datasource(DATA_SOURCE)
    return built.expr(query.expr).legend_format(query.legend)


def describe(builder: AnyPanel, panel: Panel, identity: int) -> AnyPanel:
    """What both kinds of panel share."""
    builder.id(identity).title(panel.title).description(panel.description)
    builder.unit(panel.unit).datasource(DATA_SOURCE).no_value("no data")
    return builder


def build_stat(panel: Panel, identity: int) -> stat.Panel:
    steps = [schema.Threshold(value=value, color=color) for value, color in panel.bounds]
    thresholds = dashboard.ThresholdsConfig().mode(schema.ThresholdsMode.ABSOLUTE).steps(steps)
    builder = stat.Panel().span(4).height(4).thresholds(thresholds)
    builder.graph_mode(common.BigValueGraphMode.NONE)
    builder.reduce_options(options.ReduceDataOptions().calcs(["lastNotNull"]))
    if panel.decimals is not None:
        builder.decimals(panel.decimals)
    [query] = panel.queries
    # The value of now: the last one of a range would stay on the screen of a dead service.
    builder.with_target(target(query, 0).instant())
    return describe(builder, panel, identity)


def build_graph(panel: Panel, identity: int) -> timeseries.Panel:
    legend = options.VizLegendOptions().show_legend(True)
    legend.display_mode(common.LegendDisplayMode.LIST).placement(common.LegendPlacement.BOTTOM)
    tooltip = options.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI)
    builder = timeseries.Panel().span(8).height(8).legend(legend).tooltip(tooltip)
    for number, query in enumerate(panel.queries):
        builder.with_target(target(query, number).range())
        if query.right:
            axis = schema.DynamicConfigValue(id_val="custom.axisPlacement", value="right")
            builder.override_by_name(query.legend, [axis])
    return describe(builder, panel, identity)


def build_variables() -> tuple[dashboard.DatasourceVariable, dashboard.QueryVariable]:
    source = dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")
    chosen = (
        dashboard.QueryVariable("model")
        .label("Model")
        .datasource(DATA_SOURCE)
        .query("label_values(streamlasso_model_info, model)")
        .refresh(schema.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(schema.VariableSort.ALPHABETICAL_ASC)
    )
    return source, chosen


def build_dashboard() -> dashboard.Dashboard:
    board = dashboard.Dashboard("streamlasso").uid("streamlasso").tags(["streamlasso"])
    board.description("A sparse model that learns from an event stream.").readonly()
    board.time("now-1h", "now").refresh("10s").tooltip(schema.DashboardCursorSync.CROSSHAIR)
    for variable in build_variables():
        board.with_variable(variable)
    identity = 0
    for panel in STATS:
        identity += 1
        board.with_panel(build_stat(panel, identity))
    for title, panels in ROWS:
        identity += 1
        board.with_row(dashboard.Row(title).id(identity))
        for panel in panels:
            identity += 1
            board.with_panel(build_graph(panel, identity))
    return board


def render() -> str:
    """The dashboard as the text of its file."""
    return json.dumps(build_dashboard().build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def main(arguments: list[str]) -> int:
    wanted = render()
    if "--check" not in arguments:
        OUTPUT.write_text(wanted)
        return 0
    found = OUTPUT.read_text() if OUTPUT.exists() else ""
    sys.stdout.writelines(
        difflib.unified_diff(
            found.splitlines(keepends=True),
            wanted.splitlines(keepends=True),
            str(OUTPUT),
            "generated",
        )
    )
    return int(found != wanted)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

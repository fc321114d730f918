"""What the dashboard shows: its rows and panels, each with the advice an operator needs.

Several instances may export one model (an owner and its standbys), therefore every query
aggregates: what is counted is summed, what is a state is taken from one instance.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Query:
    """One line of a panel; `right` gives it a scale of its own on the right."""

    expr: str
    legend: str = ""
    right: bool = False


@dataclass(frozen=True)
class Panel:
    """What a panel says; `bounds` are the values where the colour of a number changes."""

    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    bounds: tuple[tuple[float | None, str], ...] = ((None, "green"),)
    decimals: int | None = None


def metric(name: str) -> str:
    return f'streamlasso_{name}{{model="$model"}}'


def total(function: str, name: str, by: str = "") -> str:
    """The change of a metric over the rate interval, summed over instances."""
    grouping = f" by ({by}) " if by else ""
    return f"sum{grouping}({function}({metric(name)}[$__rate_interval]))"


def rate(name: str, by: str = "") -> str:
    return total("rate", name, by)


def ratio(above: str, below: str) -> str:
    """No data, rather than NaN, while nothing has happened."""
    return f"{above} / ({below} > 0)"


LAG_OF_PARTITION = f"max by (topic, partition) ({metric('partition_lag_records')})"
LOSS = ratio(rate("progressive_loss_total"), rate("progressive_examples_total"))
BASELINE = ratio(rate("baseline_loss_total"), rate("progressive_examples_total"))
SKILL = f"1 - {ratio(rate('progressive_loss_total'), rate('baseline_loss_total'))}"
ACTIVE = f"max({metric('active_features')})"
TRACKED = f"max({metric('tracked_features')})"
# The least: an instance that has not loaded the model yet tracks nothing and says 1.
SPARSITY = f"min({metric('sparsity_ratio')})"
EXAMPLES = total("increase", "progressive_examples_total")
SNAPSHOT_AGE = f"time() - max({metric('last_snapshot_timestamp_seconds')} > 0)"

STATS = (
    Panel(
        "Events per second",
        "Events taken from the topic. Good: follows the producers. Zero while the lag grows: the "
        "service is stuck or stopped; see its log and the panel of stages.",
        "eps",
        (Query(rate("events_consumed_total")),),
    ),
    Panel(
        "Progressive loss",
        "Mean loss of predictions made before learning from the same event, over the rate "
        "interval. Lower is better; compare it with the constant model, not with other models' "
        "data. A rise means the data changed or the model diverges.",
        "none",
        (Query(LOSS),),
        decimals=4,
    ),
    Panel(
        "Skill against the constant model",
        "1 - loss / loss of a model that always predicts the running mean. Above 0 the features "
        "help, 1 is perfect. At or below 0 the model is worth nothing: do not use its "
        "predictions; look for changed fields in the input, or lower the learning rate.",
        "percentunit",
        (Query(SKILL),),
        bounds=((None, "red"), (0.0, "orange"), (0.01, "green")),
        decimals=1,
    ),
    Panel(
        "Active features",
        "Features whose weight is not zero. Good: settles. Growing without end: raise the "
        "tolerance, of a rule l1. Zero: nothing predicts the target, or l1 is too large.",
        "short",
        (Query(ACTIVE),),
        bounds=((None, "orange"), (1.0, "green")),
    ),
    Panel(
        "Sparsity ratio",
        "1 - active / tracked features: the share of known features that the model ignores. "
        "Near 1 is what it is for; a fall means that more features matter than before.",
        "percentunit",
        (Query(SPARSITY),),
        decimals=1,
    ),
    Panel(
        "Lag",
        "Records in the topic that are not consumed yet, over all partitions. Good: near zero, "
        "or falling. Growing for minutes: events arrive faster than they are learned.",
        "short",
        (Query(f"sum({LAG_OF_PARTITION})"),),
    ),
)

STREAM = (
    Panel(
        "Events consumed and learned",
        "Both lines should lie together. Learned below consumed: events come without a target, "
        "or fail; see the panel beside this one.",
        "eps",
        (
            Query(rate("events_consumed_total"), "consumed"),
            Query(rate("events_learned_total"), "learned"),
        ),
    ),
    Panel(
        "Events failed, by reason",
        "Good: zero. `decode` or `schema`: a producer changed its format. `nonfinite`: NaN or "
        "infinity in the values. `feature_limit`: raise limits.max_event_features. Each one "
        "is in the dead-letter topic with its reason.",
        "eps",
        (Query(rate("events_failed_total", "reason"), "{{reason}}"),),
    ),
    Panel(
        "Lag by partition",
        "Good: all near zero. One partition alone growing: its keys are uneven, or a record "
        "blocks it. All growing: more load than one learner takes.",
        "short",
        (Query(LAG_OF_PARTITION, "{{topic}}-{{partition}}"),),
    ),
)

QUALITY = (
    Panel(
        "Progressive loss and the constant model",
        "The loss should lie below the constant model's and stay there. Lines that meet: the "
        "features have lost their meaning. A rise of both: the targets became harder, which "
        "is not the model's fault.",
        "none",
        (Query(LOSS, "model"), Query(BASELINE, "constant model")),
    ),
    Panel(
        "Loss of the served and of the full model",
        "Means over the model's life. A stack serves few features and knows what all of them would "
        "give: the lines should lie as close as model.parameters.tolerance says. Apart: lower "
        "the tolerance, or max_active is too small. A model of one rule has the first line only.",
        "none",
        (
            Query(f"max by (of) ({metric('lifetime_loss')})", "{{of}}"),
            Query(f"max({metric('served_worth_nats')})", "worth, nats (right)", right=True),
        ),
    ),
    Panel(
        "Calibration",
        "Mean prediction and mean target of the same events. Good: together. Apart for longer "
        "than a change in the data: the predictions are biased; look at the intercept and the "
        "learning rate. A spike at a restart comes from the sums starting at zero.",
        "none",
        (
            Query(ratio(total("delta", "prediction_sum"), EXAMPLES), "mean prediction"),
            Query(ratio(total("delta", "target_sum"), EXAMPLES), "mean target"),
        ),
    ),
    Panel(
        "Weights",
        "Sum and largest of the absolute weights. Good: level off. The largest one climbing: a "
        "feature on a large scale or a leak of the target; look at the top features. Both "
        "climbing: divergence; lower the learning rate.",
        "none",
        (
            Query(f"max({metric('weight_l1_norm')})", "sum"),
            Query(f"max({metric('weight_max_abs')})", "largest (right)", right=True),
        ),
    ),
)

SPARSENESS = (
    Panel(
        "Active and tracked features",
        "Tracked grows with every new name in the stream; active should settle far below. "
        "Tracked without end: an identifier is read as a feature; ignore it in the settings.",
        "short",
        (Query(ACTIVE, "active"), Query(TRACKED, "tracked")),
    ),
    Panel(
        "Churn",
        "Weights that leave zero and that return to it, per second. Good: both low once the "
        "model has settled. Both high: features flicker at the edge; of a rule raise l1 or lower "
        "the learning rate. Only `activated` high: new features, or a change of the data. Of a "
        "stack the changes from one count of active features to the next, a second or more.",
        "cps",
        (Query(rate("feature_transitions_total", "direction"), "{{direction}}"),),
    ),
    Panel(
        "Sparsity ratio over time",
        "Good: level. A slow fall: more features become active than before; compare the loss "
        "to see whether they are worth it.",
        "percentunit",
        (Query(SPARSITY, "1 - active / tracked"),),
    ),
    Panel(
        "Names turned away and evicted",
        "Of a bounded index; unbounded ones show zero. `not_admitted`: names that came too seldom "
        "so far, which is what admission is for. `at_limit`: the index is full; raise "
        "model.max_features or admit fewer names. `evicted`: names of weight zero that made room "
        "for others; as many as new names means that none stays long enough to gain weight.",
        "cps",
        (
            Query(rate("names_turned_away_total", "reason"), "{{reason}}"),
            Query(rate("features_evicted_total"), "evicted"),
        ),
    ),
)

DURABILITY = (
    Panel(
        "Time per batch, by stage",
        "Mean duration of each stage. `poll` high is idling and good. `learn` high: many "
        "features per event. `output`, `commit` high: the broker is slow. `snapshot` high: the "
        "disk is slow.",
        "s",
        (
            Query(
                ratio(
                    rate("batch_stage_duration_seconds_sum", "stage"),
                    rate("batch_stage_duration_seconds_count", "stage"),
                ),
                "{{stage}}",
            ),
        ),
    ),
    Panel(
        "Snapshots",
        "Age of the newest snapshot and how long its writing took. Good: the age falls to zero "
        "at every interval (60 s by default). An age that only grows: writing fails; see the "
        "disk and the log. After a crash this much is replayed; nothing is lost.",
        "s",
        (
            Query(SNAPSHOT_AGE, "age"),
            Query(f"max({metric('snapshot_duration_seconds')})", "duration (right)", right=True),
        ),
    ),
    Panel(
        "Dead letters",
        "Bad events copied to the dead-letter topic, by reason. Good: zero. A burst: a bad "
        "deployment of a producer; fix it, then replay the topic. The service stops by itself "
        "when the share of bad events passes its limit.",
        "eps",
        (Query(rate("dead_letters_total", "topic, reason"), "{{topic}} {{reason}}"),),
    ),
)

ROWS = (
    ("Stream", STREAM),
    ("Quality of the predictions", QUALITY),
    ("Sparsity", SPARSENESS),
    ("Durability", DURABILITY),
)

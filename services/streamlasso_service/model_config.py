"""``[model]`` of the configuration: what is learned, and whether it can be."""

import dataclasses
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from streamlasso_service.parameters import STACK, grid_of, rule_of, serving_faults, typed

__all__ = ["DEFAULT_LOSSES", "DOMAINS", "Flag", "ModelConfig", "Section"]

DEFAULT_LOSSES = {"classification": "logistic", "regression": "squared"}
DOMAINS = {"classification": ("binary",), "regression": ("real", "count")}
"""Domains of the losses that a task can have."""


def _flag(value: Any) -> Any:
    """True or false; variables and flags of the command line give them as text."""
    given = typed(value) if isinstance(value, str) else value
    if not isinstance(given, bool):
        raise ValueError("must be true or false")
    return given


Flag = Annotated[bool, BeforeValidator(_flag)]


class Section(BaseModel):
    """A table of the file; an unknown key is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelConfig(Section):
    """What is learned. Everything here shapes the model: a snapshot of another shape is refused."""

    name: str = Field("default", description="label of the metrics")
    task: Literal["classification", "regression"] = Field(
        "classification", description="two classes, or numbers"
    )
    rule: str = Field(STACK, description="eight rules side by side, or one by its registered name")
    parameters: dict[str, Any] = Field(
        {}, description="hyper-parameters of the rule; of a stack serve, tolerance, max_active"
    )
    grid: dict[str, list[Any]] = Field(
        {}, description="number of the rule → values: every combination is a model of its own"
    )
    select: Literal["leader", "mix", "1se"] = Field(
        "leader", description="with a grid, which model predicts"
    )
    scale: Literal["none", "max", "rms", "rms-max"] = Field(
        "none", description="divide each feature's values by their own size"
    )
    loss: str | None = Field(None, description="logistic for classification, squared otherwise")
    loss_parameters: dict[str, Any] = Field({}, description="parameters of the loss")
    index: Literal["growing", "hashing"] = Field(
        "growing", description="exact names, or a fixed number of hashed slots"
    )
    bits: int = Field(22, ge=2, le=30, description="slots of the hashing index: 2^bits")
    max_features: int | None = Field(
        None, gt=0, le=2**32 - 2, description="of the growing index: the most names at a time"
    )
    at_limit: Literal["refuse", "evict"] = Field(
        "refuse", description="there: refuse new names, or free names whose weight is zero"
    )
    admit: Literal["none", "count", "random"] = Field(
        "none", description="new names: all at once, by their count, or by chance"
    )
    admit_times: int = Field(2, ge=1, le=255, description="count: when they come so often")
    admit_bits: int = Field(20, ge=4, le=32, description="count: in 2^bits bytes of counters")
    admit_probability: float = Field(
        0.1, gt=0, le=1, description="random: at each occurrence with this probability"
    )
    dtype: Literal["float64", "float32"] = Field(
        "float64", description="of the state; float32 takes half the memory"
    )
    fit_intercept: Flag = Field(True, description="learn an intercept; it is never penalised")

    @field_validator("parameters", "grid", "loss_parameters", mode="before")
    @classmethod
    def _typed(cls, given: Any) -> Any:
        return typed(given)

    # Field by field, not by building the model: so each fault is found, whatever else is wrong.

    @field_validator("rule")
    @classmethod
    def _known_rule(cls, rule: str) -> str:
        from streamlasso.rules import RULES

        choices = (STACK, *RULES)
        if rule not in choices:
            raise ValueError(f"there is no such rule; choose one of {', '.join(choices)}")
        return rule

    @field_validator("parameters")
    @classmethod
    def _parameters_of_rule(cls, parameters: dict[str, Any], info: ValidationInfo) -> Any:
        from streamlasso.rules import RULES

        rule = info.data.get("rule")
        if rule is None:
            return parameters
        if rule == STACK:
            if faults := serving_faults(parameters):
                raise ValueError("; ".join(faults))
            return parameters
        choices = [field.name for field in dataclasses.fields(RULES[rule])]
        faults = [f"{rule} has no {name!r}" for name in parameters if name not in choices]
        if faults:
            faults[-1] += f"; choose from {', '.join(choices)}"
        faults += _rule_faults(rule, {k: v for k, v in parameters.items() if k in choices})
        if faults:
            raise ValueError("; ".join(faults))
        return parameters

    @field_validator("grid")
    @classmethod
    def _grid_of_rule(cls, grid: dict[str, list[Any]], info: ValidationInfo) -> Any:
        from streamlasso.grid import expand

        if "rule" not in info.data or "parameters" not in info.data:
            return grid
        if info.data["rule"] == STACK:
            if grid:
                raise ValueError(
                    "a stack learns several rules by itself; leave grid out, or set rule = 'ftrl'"
                )
            return grid
        rule = rule_of(info.data["rule"], info.data["parameters"])
        faults = []
        for name, values in grid.items():
            try:
                expand(rule, grid_of({name: values}))
            except TypeError:
                faults.append(f"grid: {name} = {values!r} must be numbers")
            except ValueError as error:
                faults.append(str(error))
        if faults:
            raise ValueError("; ".join(faults))
        expand(rule, grid_of(grid))
        return grid

    @field_validator("select")
    @classmethod
    def _among_several(cls, select: str, info: ValidationInfo) -> str:
        if select != "leader" and info.data.get("grid", True) == {}:
            also = ", with rule = 'ftrl'" if info.data.get("rule") == STACK else ""
            raise ValueError(f"there is nothing to select from: set grid{also}")
        return select

    @field_validator("scale", "fit_intercept")
    @classmethod
    def _own_of_a_stack(cls, value: Any, info: ValidationInfo) -> Any:
        if info.data.get("rule") == STACK and value not in ("none", True):
            own = "an intercept" if value is False else "a scale"
            raise ValueError(
                f"a stack has {own} of its own; leave {info.field_name} out, or set rule = 'ftrl'"
            )
        return value

    @field_validator("max_features", "at_limit", "admit")
    @classmethod
    def _bounds(cls, value: Any, info: ValidationInfo) -> Any:
        if value not in (None, "none", "refuse") and info.data.get("index") == "hashing":
            raise ValueError("a hashing index is bounded by its bits; set index = 'growing'")
        if value == "evict" and info.data.get("max_features", 0) is None:
            raise ValueError("there is no limit: set max_features")
        return value

    @field_validator("loss")
    @classmethod
    def _loss_of_task(cls, loss: str | None, info: ValidationInfo) -> str | None:
        from streamlasso.losses import get_loss

        task = info.data.get("task")
        if loss is not None and task is not None:
            get_loss(loss, DOMAINS[task])
            _check_stacked(loss, task, info.data.get("rule"))
        return loss

    @field_validator("loss_parameters")
    @classmethod
    def _parameters_of_loss(cls, parameters: dict[str, Any], info: ValidationInfo) -> Any:
        from streamlasso.losses import LOSSES, get_loss

        if "task" not in info.data or "loss" not in info.data:
            return parameters
        loss = info.data["loss"] or DEFAULT_LOSSES[info.data["task"]]
        choices = [field.name for field in dataclasses.fields(LOSSES[loss])]
        for name in parameters:
            if name not in choices:
                rest = f"choose from {', '.join(choices)}" if choices else "it has no parameters"
                raise ValueError(f"{loss} has no {name!r}; {rest}")
        get_loss(loss, **parameters)
        return parameters

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        """What only shows when all is there: built, but in little memory."""
        if self.model_fields_set:
            from streamlasso_service.models import build_model

            try:
                build_model(self.model_copy(update={"bits": 4, "admit_bits": 4}))
            except ValueError as error:
                message = str(error).replace(
                    "HashingIndex(bits=4,", f"HashingIndex(bits={self.bits},"
                )
                raise ValueError(message) from None
        return self


def _check_stacked(loss: str, task: str, rule: str | None) -> None:
    from streamlasso.losses import LOSSES
    from streamlasso.stack.compiling import FAMILIES

    if rule == STACK and loss not in FAMILIES:
        choices = [name for name in FAMILIES if LOSSES[name].domain in DOMAINS[task]]
        raise ValueError(
            f"{loss} has no stack; choose one of {', '.join(choices)}, or set rule = 'ftrl'"
        )


def _rule_faults(rule: str, parameters: dict[str, Any]) -> list[str]:
    """Of the numbers and of a table for ``l1`` both; if they have none, of all together."""
    table = parameters.get("l1")
    parts = [{**parameters, "l1": 0.0}, {"l1": table}] if isinstance(table, dict) else []
    return _faults(rule, *parts) or _faults(rule, parameters)


def _faults(rule: str, *given: dict[str, Any]) -> list[str]:
    faults = []
    for parameters in given:
        try:
            rule_of(rule, parameters)
        except ValueError as error:
            faults.append(str(error))
    return faults

"""Learning without arguments: several rules side by side, and one sparse model of them.

One value on its way: `features` takes off its centre, divides it by its scale and multiplies it
with the weights of all lanes; `likelihood` or `least_squares` makes inputs of the lanes' scores,
`layer` weighs them; `serving` says which features are worth being served. `rows` puts these in
order for a row, `compiling` makes machine code of them, `learner` owns the arrays (`places`).
"""

from streamlasso.stack.families import Lane, lanes_for
from streamlasso.stack.learner import StackLearner

__all__ = ["Lane", "StackLearner", "lanes_for"]

/* What a model checks. */
active proctype p() {
  skip // nobody sends
}
